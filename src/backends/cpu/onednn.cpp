#ifndef HONE_STD_THREADS

#include "backends/cpu/onednn.h"

#include <algorithm>
#include <string_view>

#include "base/parallel.h"

namespace hone::cpu {

dnnl::memory::data_type onednn_type(DataType dtype) {
  switch (dtype) {
    case DataType::kFloat32: return dnnl::memory::data_type::f32;
    case DataType::kBFloat16: return dnnl::memory::data_type::bf16;
    default: return dnnl::memory::data_type::undef;
  }
}

dnnl::memory::dims onednn_dims(std::span<const int64_t> dims) { return {dims.begin(), dims.end()}; }

dnnl::memory::desc plain_desc(std::span<const int64_t> dims, DataType dtype) {
  const Extents strides = row_major_strides(dims);
  return {onednn_dims(dims), onednn_type(dtype), onednn_dims(strides)};
}

bool is_onednn_reference(const dnnl::primitive_desc_base& primitive) {
  return std::string_view(primitive.impl_info_str()).starts_with("ref");
}

PrimitiveKernel::Place PrimitiveKernel::add_scratch(const dnnl::memory::desc& desc) {
  constexpr size_t kAlignment = 64;
  const size_t offset = workspace_bytes_;
  workspace_bytes_ += (desc.get_size() + kAlignment - 1) / kAlignment * kAlignment;
  return {Place::Kind::kWorkspace, offset};
}

void PrimitiveKernel::add(const dnnl::primitive_desc_base& desc, dnnl::primitive primitive,
                          std::vector<Argument> arguments) {
  const dnnl::memory::desc scratchpad = desc.scratchpad_desc();
  if (scratchpad.get_size() > 0) arguments.push_back({DNNL_ARG_SCRATCHPAD, add_scratch(scratchpad), scratchpad});
  stages_.push_back({std::move(primitive), std::move(arguments)});
}

PrimitiveKernel::Place PrimitiveKernel::add_reordered(Place from, const dnnl::memory::desc& from_desc,
                                                      const dnnl::memory::desc& to) {
  if (from_desc == to) return from;
  const Place place = add_scratch(to);
  add_reorder(from, from_desc, place, to);
  return place;
}

void PrimitiveKernel::add_reorder(Place from, const dnnl::memory::desc& from_desc, Place to,
                                  const dnnl::memory::desc& to_desc) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc desc(engine_, from_desc, engine_, to_desc, attr);
  add(desc, dnnl::reorder(desc), {{DNNL_ARG_FROM, from, from_desc}, {DNNL_ARG_TO, to, to_desc}});
}

PrimitiveKernel::Place PrimitiveKernel::add_constant(const TensorView& data, const dnnl::memory::desc& from_desc,
                                                     const dnnl::memory::desc& to) {
  const Place place{Place::Kind::kOwned, owned_data_.size()};
  if (from_desc == to) {
    owned_data_.push_back(data.data);
    return place;
  }
  auto buffer = std::make_unique<AlignedBuffer>();
  if (!buffer->reserve(to.get_size()).ok()) throw std::bad_alloc();
  dnnl::memory source(from_desc, engine_, data.data), target(to, engine_, buffer->data());
  dnnl::stream stream(engine_);
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  owned_data_.push_back(buffer->data());
  owned_.push_back(std::move(buffer));
  return place;
}

PrimitiveKernel::Place PrimitiveKernel::output_or_scratch(size_t i, const dnnl::memory::desc& plain,
                                                          const dnnl::memory::desc& desc) {
  return plain == desc ? output(i) : add_scratch(desc);
}

void PrimitiveKernel::finish_output(size_t i, const dnnl::memory::desc& plain, Place from,
                                    const dnnl::memory::desc& desc) {
  if (plain != desc) add_reorder(from, desc, output(i), plain);
}

void* PrimitiveKernel::address(const Place& place, const KernelArgs& args) const {
  switch (place.kind) {
    case Place::Kind::kInput: return args.inputs[place.index].data;
    case Place::Kind::kOutput: return args.outputs[place.index].data;
    case Place::Kind::kWorkspace: return args.workspace + place.index;
    case Place::Kind::kOwned: return const_cast<void*>(owned_data_[place.index]);
  }
  return nullptr;
}

std::unique_ptr<PrimitiveKernel::Handles> PrimitiveKernel::make_handles() const {
  auto handles = std::make_unique<Handles>(Handles{.stream = dnnl::stream(engine_), .memories = {}, .arguments = {}});
  for (const Stage& stage : stages_) {
    std::vector<dnnl_exec_arg_t>& arguments = handles->arguments.emplace_back();
    for (const Argument& argument : stage.arguments) {
      handles->memories.emplace_back(argument.desc, engine_, nullptr);
      arguments.push_back({argument.id, handles->memories.back().get()});
    }
  }
  return handles;
}

std::unique_ptr<PrimitiveKernel::Handles> PrimitiveKernel::borrow() const {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Handles> handles = std::move(idle_.back());
      idle_.pop_back();
      return handles;
    }
  }
  return make_handles();
}

void PrimitiveKernel::give_back(std::unique_ptr<Handles> handles) const {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handles));
}

void PrimitiveKernel::execute(Handles& handles, const KernelArgs& args) const {
  size_t next = 0;
  for (size_t i = 0; i < stages_.size(); ++i) {
    for (const Argument& argument : stages_[i].arguments) {
      handles.memories[next++].set_data_handle(address(argument.place, args));
    }
    const std::vector<dnnl_exec_arg_t>& arguments = handles.arguments[i];
    dnnl::error::wrap_c_api(dnnl_primitive_execute(stages_[i].primitive.get(), handles.stream.get(),
                                                   static_cast<int>(arguments.size()), arguments.data()),
                            "could not execute a primitive");
  }
  handles.stream.wait();
}

Status PrimitiveKernel::run(const KernelArgs& args) const {
  // Scratchpads are cut for the threads that the primitives were built for.
  const TeamSize team(std::min(args.device->threads, threads_));
  return guard_onednn([&] {
    std::unique_ptr<Handles> handles = borrow();
    execute(*handles, args);
    give_back(std::move(handles));
    return Status();
  });
}

}  // namespace hone::cpu

#endif
