// The plan: an engine as data. What the compiler writes, the engine file holds and the runtime executes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hone/dim.h"
#include "hone/kernel.h"
#include "hone/op.h"

namespace hone {

// Indices into the plan's vectors.
using ValueId = int32_t;  // -1: absent operand
using StorageId = uint32_t;

struct PlanSymbol {
  enum class Kind : uint8_t { kInputDim, kHostValue, kResolved, kCounted };
  std::string name;
  Kind kind = Kind::kInputDim;
  ValueId value = -1;  // whose dimension (kInputDim, kResolved, kCounted) or element (kHostValue) it is
  uint32_t index = 0;  // axis or element; for kResolved and kCounted: the first axis that is exactly this symbol
  Dim bound;           // kCounted: at most this
};

// Memory that values are views of.
struct PlanStorage {
  enum class Kind : uint8_t {
    kArena,     // placed by the runtime when shapes are set (or grown when counted sizes are known)
    kInput,     // the user's buffer of binding `index`
    kOutput,    // the user's buffer of binding `index`
    kConstant,  // weight block `index`
  };
  Kind kind = Kind::kArena;
  uint32_t index = 0;
  Dim bytes;  // counted symbols replaced by their bounds
};

struct PlanValue {
  std::string name;
  TensorType type;
  StorageId storage = 0;
  Dim offset_bytes;  // from the storage's start; the view is row-major and contiguous
};

struct PlanBinding {
  std::string name;
  bool is_input = false;
  ValueId value = -1;
  bool is_shape_value = false;  // an input whose contents decide shapes: set_input_value()
};

struct Step {
  // kShape: runs when shapes are set, on host values only. kRun: runs in run().
  enum class Stage : uint8_t { kShape, kRun };
  std::string name;  // the node's name
  Stage stage = Stage::kRun;
  OpPtr op;
  std::shared_ptr<const Body> body;  // fused nodes
  std::vector<ValueId> inputs, outputs;
  std::string backend;  // whose kernel: "cpu", "reference"
  std::string kernel;   // KernelDef::name
  int32_t kernel_version = 0;
  Config config;
  std::vector<DimRequirement> requirements;
  std::vector<SymbolId> resolved;  // symbols that this step's infer() tells before the kernel runs
  std::vector<SymbolId> counted;   // symbols that its kernel counts, in the order of KernelArgs::counts
};

struct DimRange {
  int64_t min = 0, opt = 0, max = 0;
  friend bool operator==(const DimRange&, const DimRange&) = default;
};

// Per input name, the range of each dimension. An input that isn't listed, and a plan without profile, is open.
struct Profile {
  std::map<std::string, std::vector<DimRange>> inputs;
  // Of inputs whose contents decide shapes: the range of each element.
  std::map<std::string, std::vector<DimRange>> values;
};

// What the tuner found about one kernel for one step's problem.
struct TuningRecord {
  uint32_t step = 0;
  std::string kernel;
  float time_us = 0;    // median; 0: not timed
  float max_error = 0;  // against the reference, relative to the output's largest magnitude
  std::string refusal;  // why it can't serve; empty: it can
};

struct Plan {
  Profile profile;
  std::vector<PlanSymbol> symbols;
  std::vector<PlanStorage> storages;
  std::vector<PlanValue> values;
  std::vector<PlanBinding> bindings;  // inputs first, both in the model's order
  std::vector<Step> steps;
  std::vector<TuningRecord> tuning;
};

// A stretch of the weights section.
struct WeightBlock {
  uint64_t offset = 0, bytes = 0;
};

// All plans (one for each profile, or a single open one) for one target.
struct TunedPart {
  DeviceInfo target;
  std::vector<Plan> plans;
};

// An engine file's contents. The weights are borrowed bytes, owned by whoever loaded or built them.
struct EngineImage {
  std::map<std::string, std::string> metadata;  // the model's, plus "hone.*" about the build
  std::string graph_text;                       // the portable part; opaque here
  std::vector<WeightBlock> weight_blocks;
  std::span<const std::byte> weights;
  std::vector<TunedPart> tuned;
};

// Checks every index, size, order and type of a plan as if it came from an enemy: what passes can't make the
// runtime read or write outside its memory, given that the runtime checks with numbers, when shapes are set, what
// depends on symbols: each step's infer() against the planned shapes, and each value against its storage's room.
// `weight_blocks` is what kConstant storages point into, `weights` the blocks' bytes (contents that decide shapes).
//
// Rules beside the plain ones (indices in range, computable types, at most kMaxRank dimensions, no invalid dims):
// - A step with an empty kernel name is a view: its one output has the storage and offset of its operand 0.
// - Every other step writes its outputs, each the only written value of its storage, which is kArena or kOutput.
//   So operands and outputs never overlap, and each storage is filled once.
// - Steps are in execution order; kShape steps run first, on constants, shape values and each other's results (Shape
//   and Size look at no contents and may have any operand). Symbols are known before sizes need them; what kRun steps
//   resolve from known shapes is known to the kShape steps after them.
// - A storage of kind kInput or kOutput is exactly as large as its binding's value, which begins it; an input's value
//   lies in its own kInput storage. An output's value may lie anywhere.
// - Offsets are numbers, multiples of the element's size. Sizes of storages know no counted symbols.
Status verify(const Plan& plan, std::span<const WeightBlock> weight_blocks, std::span<const std::byte> weights = {});

// Where each arena storage goes.
struct Placement {
  std::vector<int64_t> offsets;  // per storage; -1: not in the arena
  int64_t arena_bytes = 0;
};

// First and last step (inclusive) that touch a storage; unused ones have first > last.
struct Lifetime {
  int32_t first = 0, last = -1;
  bool host_value = false;  // written by a step of the shape stage, or a shape-value input: not in the arena
};

// Lifetimes of all storages: the union of the lives of the values in them, shape-stage steps counted like others.
std::vector<Lifetime> storage_lifetimes(const Plan& plan);

// Packs storages so that no two that live at the same time overlap; 64-byte aligned; greedy by size (Pisarchyk and
// Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). `sizes[i] < 0`: leave storage i out.
Placement place(std::span<const Lifetime> lifetimes, std::span<const int64_t> sizes);

}  // namespace hone
