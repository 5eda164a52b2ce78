#include "base/trim.h"

#include <cstring>

namespace hone {

void trim(const TensorView& view, const Extents& dims) {
  size_t axis = dims.size();  // axes from here on are whole
  while (axis > 0 && dims[axis - 1] == view.dims[axis - 1]) --axis;
  if (axis <= 1 || count_of(dims) == 0) return;
  const Extents strides = row_major_strides(view.dims);
  const size_t element = bytes_of(view.dtype);
  const size_t run = static_cast<size_t>(dims[axis - 1] * strides[axis - 1]) * element;
  Extents at = Extents::filled(axis - 1, 0);
  std::byte* to = view.data;
  for (;;) {
    int64_t from = 0;
    for (size_t i = 0; i + 1 < axis; ++i) from += at[i] * strides[i];
    std::memmove(to, view.data + static_cast<size_t>(from) * element, run);
    to += run;
    size_t i = axis - 1;
    while (i > 0 && ++at[i - 1] == dims[i - 1]) at[--i] = 0;
    if (i == 0) return;
  }
}

}  // namespace hone
