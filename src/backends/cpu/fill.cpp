#include "backends/cpu/fill.h"

#include <cstring>

namespace hone::cpu {

namespace {

class FillKernel final : public Kernel {
 public:
  explicit FillKernel(std::optional<size_t> bias) : bias_(bias) {}

  Status run(const KernelArgs& args) const override {
    const TensorView& y = args.outputs[0];
    if (y.count() == 0) return {};
    if (!bias_) {
      std::memset(y.data, 0, y.bytes());
      return {};
    }
    const size_t element = bytes_of(y.dtype);
    const int64_t channels = y.dims[1], per_channel = y.count() / (y.dims[0] * channels);
    std::byte* to = y.data;
    for (int64_t i = 0; i < y.count(); ++i, to += element) {
      std::memcpy(to, args.inputs[*bias_].data + static_cast<size_t>(i / per_channel % channels) * element, element);
    }
    return {};
  }

 private:
  std::optional<size_t> bias_;
};

}  // namespace

std::unique_ptr<Kernel> make_fill(std::optional<size_t> bias) { return std::make_unique<FillKernel>(bias); }

}  // namespace hone::cpu
