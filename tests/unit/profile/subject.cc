// What symbols_test strips and finds the name of again: a function that no table but that of all symbols has.
namespace subject {
namespace {

[[gnu::noinline, gnu::used]] int inner(int n) { return n + 1; }

}  // namespace
}  // namespace subject

extern "C" [[gnu::visibility("default")]] const void* address_of_inner() { return reinterpret_cast<const void*>(&subject::inner); }
