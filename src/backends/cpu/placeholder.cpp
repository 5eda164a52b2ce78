namespace hone {}
