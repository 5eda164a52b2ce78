// The text form of a graph: for people, for tests of passes, and for the portable part of an engine file.
//
//   text      = 'graph' STRING statement*
//   statement = 'metadata' STRING '=' STRING
//             | 'symbol' symbol '=' ('dim' | 'element' | 'resolved' | 'counted') INT 'of' value
//             | 'bound' symbol '<=' dim                          of a counted symbol
//             | 'input' value ':' spec
//             | 'const' value '=' tensor
//             | 'output' value ['as' STRING]                     the output's name, where it isn't the value's
//             | value {',' value} '=' op '(' [operand {',' operand}] ')' [attributes] [STRING] [body]
//               ['#' spec {',' spec}] ['requires' requirement {',' requirement}]
//   op        = NAME | STRING
//   operand   = value | '_'                                      '_': absent
//   attributes= '{' NAME '=' attribute {',' NAME '=' attribute} '}'     those that differ from their defaults
//   attribute = INT | FLOAT | STRING | ['ints' | 'floats' | 'strings'] '[' [item {',' item}] ']' | tensor
//   body      = 'body' '{' {'const' number '=' tensor} {step} 'return' number {',' number} '}'
//   step      = number {',' number} '=' op '(' [number or '_' {',' ...}] ')' [attributes] ['#' type {',' type}]
//   spec      = type ['host'] ['=' '(' [dim {',' dim}] ')']      'host': its contents decide shapes; '=': its elements
//   type      = DTYPE '[' [dim {',' dim}] ']' | ('sequence' | 'optional') '(' DTYPE '[' ... ']' ')'
//   requirement = dim '==' dim | dim '~' dim                     '~': equal, or one of them 1
//   dim       = ['-'] product {('+' | '-') product} | 'invalid'
//   product   = factor {'*' factor}
//   factor    = INT | symbol | ('floordiv' | 'ceildiv' | 'mod' | 'min' | 'max' | 'broadcast') '(' dim ',' dim ')'
//   tensor    = DTYPE '[' [INT {',' INT}] ']' contents
//   contents  = '(' [item {',' item}] ')'                        row-major
//             | '@' OFFSET ':' BYTES                             in the weights block
//             | '(' '...' ')'                                    left out: only for reading
//   value     = '%' NAME | '%' STRING
//   number    = '$' INT                                          operands first, then constants, then steps' outputs
//   symbol    = NAME | STRING
//
// The STRING after a node's attributes is its name. Floats are written so that they read back as the same bits ("nan"
// is the quiet one, "nan(0x7f800001)" any other); elements of types without arithmetic are hexadecimal bytes, x"0f3a".
// Strings are escaped as base/escape.h says. Statements may be broken anywhere; '//' starts a comment. A node's types,
// the body's and the elements may be missing: then they are inferred.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"
#include "ops/op_list.h"

namespace hone {

// Collects the contents of constants as one block of bytes: each content once, 64-byte aligned.
class WeightsWriter {
 public:
  struct Block {
    uint64_t offset = 0, bytes = 0;
  };

  // Where the tensor's contents are; not for strings. The memory is shared until the writer goes.
  Block add(const Tensor& tensor) { return blocks_[index_of(tensor)]; }
  // The number of its block.
  uint32_t index_of(const Tensor& tensor);
  const std::vector<Block>& blocks() const { return blocks_; }
  uint64_t size_bytes() const { return size_bytes_; }
  std::vector<std::byte> bytes() const;

 private:
  std::vector<Tensor> tensors_;
  std::vector<Block> blocks_;
  std::unordered_multimap<uint64_t, uint32_t> by_hash_;
  std::unordered_map<const std::byte*, uint32_t> by_address_;
  uint64_t size_bytes_ = 0;
};

// With a writer, the text and the writer's bytes hold all of the graph but symbols that nothing mentions. Without one,
// the contents of larger constants are left out.
std::string print_graph(const Graph& graph, WeightsWriter* weights = nullptr);

// Reads what print_graph wrote. Constants share `weights`, which `owner` keeps alive. The text may be hostile: what is
// malformed is an error (kInvalidModel) with its line. Types that the text gives are taken as they are; verify()
// compares them with inference.
Result<Graph> parse_graph(std::string_view text, std::span<const std::byte> weights, std::shared_ptr<const void> owner,
                          OpMaker make_op);

// One line for each attribute list: equal operators give equal text. For keys and messages.
std::string print_attributes(const AttrMap& attributes);

}  // namespace hone
