# make          install what is missing, configure and build in release mode; PYTHONPATH=build/release/python serves Python
# make test     build and run every test; the last lines are ctest's summary
# make sanitize what parses input, and the runtime, under AddressSanitizer and UndefinedBehaviorSanitizer (part of test)
# make tsan     the runtime's tests under ThreadSanitizer (part of test where Debian's clang and libclang-rt-14-dev are)
# make demo     detect objects; MODEL=model.onnx IMAGE=picture.jpg (or a folder) choose what
# make bench    measure MODEL=model.onnx, or the models in the data folder
# make format   format the C++ sources
# make clean    remove the build folder
#
# The tests use real pictures and models in HONE_DATA (../shared/data by default) when it is there.

BUILD := build/release
VENV := build/venv
ZOO_VENV := build/zoo_venv
JOBS ?= $(shell nproc)
HONE := $(BUILD)/bin/hone
export HONE_DATA ?= $(abspath ../shared/data)

.PHONY: all test sanitize tsan run-tsan demo bench format clean
.DEFAULT_GOAL := all

all: $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS)

build/deps.ok: scripts/install_deps.sh scripts/debian_packages.txt
	scripts/install_deps.sh
	@mkdir -p build && touch $@

# Debian's own Python where it is, else the first one.
$(VENV)/ok: tests/requirements.txt build/deps.ok
	$(firstword $(wildcard /usr/bin/python3) python3) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

# Debian's torch, and beside it what PyPI has.
$(ZOO_VENV)/ok: zoo/tests/requirements.txt build/deps.ok
	$(firstword $(wildcard /usr/bin/python3) python3) -m venv --system-site-packages $(ZOO_VENV)
	$(ZOO_VENV)/bin/pip install --quiet --disable-pip-version-check -r zoo/tests/requirements.txt
	@touch $@

$(BUILD)/build.ninja: $(VENV)/ok CMakeLists.txt CMakePresets.json
	cmake --preset release -DHONE_PYTHON=$(abspath $(VENV))/bin/python

test: all $(ZOO_VENV)/ok sanitize tsan
	cmake --preset release -DHONE_ZOO_PYTHON=$(abspath $(ZOO_VENV))/bin/python
	OMP_WAIT_POLICY=passive ctest --test-dir $(BUILD) -j 2 --output-on-failure

# The programs whose tests read hostile bytes. A crash has an exit code of its own.
SANITIZED := base_test graph_test onnx_test plan_test pipelines_common_test cli_test engine_file_suite api_suite
sanitize: build/deps.ok
	cmake --preset asan
	cmake --build build/asan -j $(JOBS) --target $(SANITIZED)
	set -e; for program in $(SANITIZED); do \
	  ASAN_OPTIONS=exitcode=99:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	    build/asan/bin/$$program --gtest_brief=1; \
	done

# ThreadSanitizer wants stretches of memory that a randomised layout may use. Some containers don't let it be fixed.
FIXED_LAYOUT = $(shell setarch -R true 2> /dev/null && echo setarch -R)
CAN_TSAN = $(shell echo 'int main() {}' | clang++ -fsanitize=thread -x c++ -o /dev/null - 2> /dev/null && echo yes)
tsan: build/deps.ok
	@if [ "$(CAN_TSAN)" = yes ]; then $(MAKE) --no-print-directory run-tsan; \
	else echo "tsan: skipped, it needs clang++ with ThreadSanitizer (Debian: clang libclang-rt-14-dev)"; fi

run-tsan:
	cmake --preset tsan
	cmake --build build/tsan -j $(JOBS) --target api_suite
	TSAN_OPTIONS=exitcode=66 $(FIXED_LAYOUT) build/tsan/bin/api_suite --gtest_brief=1

demo: all
	scripts/demo.sh $(HONE) "$(MODEL)" "$(IMAGE)"

bench: all
	scripts/bench.sh $(HONE) "$(MODEL)"

format: build/deps.ok
	scripts/format.sh

clean:
	rm -rf build
