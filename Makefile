# make          install what is missing, configure and build in release mode
# make test     build and run every test; the last lines are ctest's summary
# make sanitize what parses input, and the runtime, under AddressSanitizer and UndefinedBehaviorSanitizer (part of test)
# make tsan     the runtime's tests under ThreadSanitizer (needs Debian's clang and libclang-rt-14-dev)
# make demo     detect objects; MODEL=model.onnx IMAGE=picture.jpg (or a folder) choose what
# make bench    measure MODEL=model.onnx, or the models in the data folder
# make format   format the C++ sources
# make clean    remove the build folder
#
# The tests and the demo use real pictures and models in HONE_DATA (../shared/data by default) when it is there.

BUILD := build/release
VENV := build/venv
JOBS ?= $(shell nproc)
HONE := $(BUILD)/bin/hone
export HONE_DATA ?= $(abspath ../shared/data)

.PHONY: all test sanitize tsan demo bench format clean
.DEFAULT_GOAL := all

all: $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS)

build/deps.ok: scripts/install_deps.sh scripts/debian_packages.txt
	scripts/install_deps.sh
	@mkdir -p build && touch $@

$(VENV)/ok: tests/requirements.txt build/deps.ok
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

$(BUILD)/build.ninja: build/deps.ok CMakeLists.txt CMakePresets.json
	cmake --preset release -DHONE_PYTHON=$(abspath $(VENV))/bin/python

test: $(VENV)/ok all sanitize
	ctest --test-dir $(BUILD) -j 2 --output-on-failure

# The programs whose tests read hostile bytes. A crash has an exit code of its own.
SANITIZED := base_test graph_test onnx_test plan_test pipelines_common_test cli_test engine_file_suite api_suite
sanitize: build/deps.ok
	cmake --preset asan
	cmake --build build/asan -j $(JOBS) --target $(SANITIZED)
	set -e; for program in $(SANITIZED); do \
	  ASAN_OPTIONS=exitcode=99:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	    build/asan/bin/$$program --gtest_brief=1; \
	done

tsan: build/deps.ok
	cmake --preset tsan
	cmake --build build/tsan -j $(JOBS) --target api_suite
	TSAN_OPTIONS=exitcode=66 build/tsan/bin/api_suite --gtest_brief=1

demo: all
	scripts/demo.sh $(HONE) "$(MODEL)" "$(IMAGE)"

bench: all
	scripts/bench.sh $(HONE) "$(MODEL)"

format: build/deps.ok
	scripts/format.sh

clean:
	rm -rf build
