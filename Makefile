# Every target does its own set-up: nothing needs to be installed first but Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo races test lint types pytest test-slow arm-test web web-serve web-test \
  android-test android-apk tune results equal tables docs ios-test clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       export the IMX258 array everywhere, verify, denoise a capture, show a picture"
	@echo "make test       lint, types and tests"
	@echo "make test-slow  the checks that take minutes"
	@echo "make arm-test   the ExecuTorch and ONNX bundles under QEMU, as on a Cortex-A76, against the golden vectors"
	@echo "make web        build the browser page in build/web (web_demo/README.md); web-serve serves it"
	@echo "make web-test   the page's modules in node, the page in Chromium, against Python"
	@echo "make android-test  the Android app's core and ONNX engine on the JVM (android_demo/README.md)"
	@echo "make android-apk   a signed APK with an int8 bundle, without the Android SDK"
	@echo "make tune       measure which folds are fastest here and write fa_mobile/targets/tuned.json"
	@echo "make races      time the bundles, their peers and the machine's ceiling anew: nothing else should run"
	@echo "make results    measure anew what the documents state: make results PHOTOS='folder ...'"
	@echo "make equal      train the networks alike: make equal PHOTOS='folder' TEST='folder'"
	@echo "make tables     rebuild the paper's tables: make tables PHOTOS= TEST= TEACHER= VGG16= [ST_LPIPS=]"
	@echo "make docs       write the documents' tables and pictures from the stored results"
	@echo "make ios-test   the Swift package on Debian or Ubuntu: fetches Swift, lints, tests, type-checks"
	@echo "make clean      remove what the others made, the environment included"

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "fa-mobile needs Python 3.11 or newer"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	# torch alone first: pip then takes a CPU build where one is at hand.
	$(BIN)/python -m pip install --quiet "torch==2.13.0"
	$(BIN)/python -m pip install --quiet --editable ".[all]"
	touch $@

demo: $(STAMP)
	$(BIN)/fa-mobile demo

test: lint types pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/mypy android_demo/ci/exchange.py
	$(BIN)/mypy web_demo/build.py web_demo/serve.py web_demo/npm_package.py

pytest: $(STAMP)
	$(BIN)/python -m pytest -q -m "not slow" --durations=15

test-slow: $(STAMP)
	$(BIN)/python -m pytest -q -m slow --durations=15

# QEMU, an ARM Python and the runtimes for it go to $FA_MOBILE_ARM (build/arm): five minutes, on Debian.
export FA_MOBILE_ARM ?= build/arm
$(FA_MOBILE_ARM)/versions.json:
	benchmarks/arm/setup.sh $(FA_MOBILE_ARM)

# 256 x 256: the vectors are smaller still, and every pixel of a tile is emulated.
ARM_BUNDLES := build/arm-bundles
$(ARM_BUNDLES)/imx258-onnx-int8/manifest.json: | $(STAMP)
	$(BIN)/fa-mobile export export/imx258.toml --only executorch --only onnx --tile 256 256 --output $(ARM_BUNDLES)

arm-test: $(FA_MOBILE_ARM)/versions.json $(ARM_BUNDLES)/imx258-onnx-int8/manifest.json
	$(BIN)/fa-mobile verify --arm cortex-a76 $(wildcard $(ARM_BUNDLES)/imx258-*)
	$(BIN)/python -m pytest -q -m slow tests/bench/test_arm.py

# The browser page and its bundle: fp32, because eight bits are not faster in WebAssembly.
WEB_BUNDLE := dist/imx258-onnx-fp32
$(WEB_BUNDLE)/manifest.json: | $(STAMP)
	$(BIN)/fa-mobile export export/imx258.toml --only onnx-fp32 --output dist

web: $(WEB_BUNDLE)/manifest.json
	$(BIN)/python web_demo/build.py --bundle $(WEB_BUNDLE) --output build/web

web-serve: web
	$(BIN)/python web_demo/serve.py build/web

# Needs Node.js with npm, and Chromium. RENEW_PICTURES=1 also draws those of web_demo/images anew.
web-test: $(WEB_BUNDLE)/manifest.json
	BUNDLE=$(WEB_BUNDLE) $(BIN)/python -m pytest -q web_demo/tests --durations=5

# Both need Java, npm and some Debian packages, and fetch about 300 MB once; what is missing is named.
ANDROID_BUNDLE ?= dist/imx258-onnx-int8
$(ANDROID_BUNDLE)/golden/table.json: | $(STAMP)
	$(BIN)/fa-mobile export export/imx258.toml --only onnx-int8 --output dist

android-test: $(ANDROID_BUNDLE)/golden/table.json
	PYTHON=$(abspath $(BIN)/python) android_demo/ci/test_jvm.sh $(ANDROID_BUNDLE)

android-apk: $(ANDROID_BUNDLE)/golden/table.json
	android_demo/ci/build_apk.sh $(ANDROID_BUNDLE) build/fa-mobile-demo.apk

# Up to five minutes for each network, target and precision; nothing else should run meanwhile.
tune: $(STAMP)
	$(BIN)/python -m fa_mobile.tuning --write

races: $(STAMP)
	@test -d dist/imx258-executorch-int8 || { echo "there are no bundles to time; first: make demo"; exit 2; }
	benchmarks/x86.sh
	$(MAKE) docs

# PHOTOS: folders of photos that the checkpoint was not trained on. PMRID: its released weights, and
# TEACHER: a checkpoint (docs/quality.md), to measure beside it.
results: $(STAMP)
	@test -n "$(PHOTOS)" || { echo "give the photos to measure on: make results PHOTOS='kodak24 mcmaster18'"; exit 2; }
	mkdir -p build
	$(BIN)/fa-mobile macs --json > build/macs.json
	$(BIN)/fa-mobile demo --json > build/export.json
	$(BIN)/fa-mobile export export/imx258-paper.toml
	for network in mobile:imx258-mobile:dist paper:imx258-nsma4:dist/paper; do \
	  set -- $$(echo "$$network" | tr : ' '); \
	  $(BIN)/fa-mobile evaluate "fa_mobile/checkpoints/$$2" $(PHOTOS) --json > "build/quality-$$1.json" || exit; \
	  for target in executorch onnx; do \
	    $(BIN)/fa-mobile evaluate "$$3/imx258-$$target-int8" $(PHOTOS) --json \
	      > "build/quality-$$1-$$target-int8.json" || exit; \
	  done; \
	done
	$(BIN)/fa-mobile evaluate fa_mobile/checkpoints/imx258-mobile $(PHOTOS) --vs classical \
	  $(if $(PMRID),--vs pmrid:$(PMRID)) --metric all --json > build/quality-versus.json
	$(BIN)/fa-mobile evaluate fa_mobile/checkpoints/imx258-mobile --vs dist/imx258-executorch-int8 \
	  --vs dist/imx258-onnx-int8 --flat --frames 32 --json > build/flat.json
	$(BIN)/fa-mobile evaluate fa_mobile/checkpoints/imx258-mobile $(PHOTOS) --edges --json > build/edges.json
	$(if $(TEACHER),$(BIN)/fa-mobile evaluate fa_mobile/checkpoints/imx258-mobile $(PHOTOS) --vs $(TEACHER) --json > build/teacher.json)
	$(BIN)/fa-mobile evaluate fa_mobile/checkpoints/imx258-mobile $(PHOTOS) --off-profile 0.3 --json \
	  > build/off-profile.json
	mv build/*.json docs/results/
	cp dist/demo/onnx-int8.png docs/images/demo.png
	$(MAKE) docs

# Hours on two cores; what build/equal holds is resumed.
equal: $(STAMP)
	@test -n "$(PHOTOS)" -a -n "$(TEST)" || { echo "give photos to train on and others to measure on: make equal PHOTOS='train' TEST='kodak24'"; exit 2; }
	$(BIN)/python benchmarks/equal.py $(PHOTOS) $(foreach folder,$(TEST),--test $(folder)) --runs build/equal \
	  --network mobile --network paper --network plain --network pmrid --seed 0 --seed 1 --rate 0.015
	$(MAKE) docs

# Hours on two cores; what build/tables holds is resumed. FLAGS: for all three, such as '--seed 0 --seed 1'.
TABLE = $(PHOTOS) $(foreach folder,$(TEST),--test $(folder)) --runs build/tables \
  $(if $(ST_LPIPS),--perceptual $(ST_LPIPS)) $(FLAGS)
tables: $(STAMP)
	@test -n "$(PHOTOS)" -a -n "$(TEST)" -a -n "$(TEACHER)" -a -n "$(VGG16)" || { echo "give photos to train on, others to measure on, a teacher and VGG16's weights: make tables PHOTOS='train' TEST='kodak24' TEACHER=my-array VGG16=vgg16.npz"; exit 2; }
	$(BIN)/fa-mobile experiment ablation $(TABLE)
	$(BIN)/fa-mobile experiment subranges $(TABLE)
	$(BIN)/fa-mobile experiment losses $(TABLE) --teacher $(TEACHER) --perceptual-weights $(VGG16)
	$(MAKE) docs

docs: $(STAMP)
	$(BIN)/python docs/render.py
	$(BIN)/python benchmarks/render.py

# Swift goes to $FA_MOBILE_SWIFT (~/.cache/fa-mobile/swift). BUNDLES: other ones, an ONNX bundle first.
IOS_BUNDLE := build/apps/imx258-onnx-fp32
$(IOS_BUNDLE)/golden/table.json: | $(STAMP)
	$(BIN)/fa-mobile export --only onnx-fp32 --tile 512 512 --output $(dir $(IOS_BUNDLE))

ios-test: $(if $(BUNDLES),,$(IOS_BUNDLE)/golden/table.json)
	ios_demo/ci/test_linux.sh $(or $(BUNDLES),$(IOS_BUNDLE))

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
