# Needs make and Python 3.11 or newer. Everything else is installed into .venv from a lock file
# with the digest of every package (see .ci/environment). `make help` lists what can be made.

.PHONY: help demo look up calibration test fuzz sbom test-sip test-browser screenshots chaos bench lint format clean runtime development bench-report
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PYTHON
# compiled files are kept, whatever the machine says: a start without them takes twice as long, and
# the tests start hundreds of processes
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin

help:
	@echo 'make demo    見本の区で試行を一巡し、demo-output/ に報告書を作る / run one trial end to end and write its report'
	@echo 'make look    見本の区を画面で見る（なければ先に一巡する。Ctrl-C で終了） / the demo’s office in the console'
	@echo 'make up      すべてを起動する（Ctrl-C で終了） / start everything and stay; Ctrl-C stops it'
	@echo 'make test    すべての検査と試験 / all checks and tests'
	@echo 'make calibration  真の効果が分かる模擬試行で推定を確かめる / simulated trials with a known effect'
	@echo 'make chaos   あらゆる障害を起こして数える（MINUTES=10 SEED=7） / break everything, then count'
	@echo 'make fuzz    でたらめな入力を10万回以上試す（EXAMPLES=1050 を20通りずつ5種類） / bad input, more than a hundred thousand times'
	@echo 'make sbom    部品表（CycloneDX）を sbom.cdx.json に書く / write the bill of materials'
	@echo 'make test-sip SIPp との通話試験（sipp を導入できれば導入する） / calls against SIPp, installed when it can be'
	@echo 'make test-browser オペレーターの一日をブラウザーで試す（chromium を導入できれば導入する） / an operator’s day in Chromium, installed when it can be'
	@echo 'make screenshots  手引きのための画面の写真を撮る / pictures of every page, for the manual'
	@echo 'make bench   速さを測る（ROUNDS=5 SIZE=1 ATTEMPTS=1000000 ONLY=lease_growth） / measure how fast it is'
	@echo 'make lint    書式と型の検査 / style and types alone'
	@echo 'make format  書式を整える / put the code into shape'
	@echo 'make clean   作られたものを消す（組込みデータベースも） / remove what was made, embedded data included'

demo: runtime
	@exec $(BIN)/contact-service demo

# whoever looks again finds it as it was left; a new demo, with --keep, makes it anew
look: runtime
	@[ -e "$${CONTACT_STATE_DIR:-.contact-service}/demo/kept" ] || $(BIN)/contact-service demo --keep
	@exec $(BIN)/contact-service up --demo

up: runtime
	@exec $(BIN)/contact-service up

# pytest comes last: its closing line is the last one printed
test: lint
	@echo '試験をしています / testing …'
	@exec $(BIN)/pytest -n auto --dist worksteal --durations=20 --durations-min=5

# minutes in which things go wrong (settling comes on top), and the seed that says which and when
MINUTES ?= 3
SEED ?= 1
chaos: ATTEMPTS ?= 20000
chaos: development
	@exec $(BIN)/python -m tests.chaos --minutes $(MINUTES) --seed $(SEED) --attempts $(ATTEMPTS)

# bad input in masses: five targets, so many tries each, twenty variations of every one; and every
# operation of the API, a fortieth of that
EXAMPLES ?= 1050
fuzz: development
	@FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_VARIATIONS=20 $(BIN)/pytest -n 2 tests/fuzz

# a bill of materials (CycloneDX) of what is installed with the service; asks nobody
SBOM ?= sbom.cdx.json
sbom: development
	@$(BIN)/python -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --spec-version 1.6 --output-file $(SBOM)

# calls with an independent stack that is no wheel; says what is missing, and fails, without it
test-sip: development
	@sh .ci/sipp
	@echo 'SIPp と通話しています / calling SIPp …'
	@exec $(BIN)/pytest -n 0 -m sipp tests/providers/sip

# pages in a real browser; says what is missing, and fails, without it
test-browser: development
	@sh .ci/chromium
	@echo 'ブラウザーで試しています / in Chromium …'
	@exec $(BIN)/pytest -n 0 -m browser tests/web

# every page of the console in Japanese and English, for the manual
screenshots: development
	@sh .ci/chromium
	@echo '画面の写真を撮っています / taking pictures …'
	@SCREENSHOTS=docs/images/console $(BIN)/pytest -n 0 -m browser tests/web/test_pages_in_chromium.py -k everybody
	@if command -v pngquant >/dev/null; then \
		pngquant --force --ext .png --skip-if-larger --quality 60-95 docs/images/console/*.png || [ $$? -ge 98 ]; \
	else echo 'pngquant がないので、写真は縮めていません / no pngquant: the pictures are not made smaller'; fi

# simulated trials with a known effect
calibration: development
	@exec $(BIN)/python -m benchmarks.calibration

# ONLY= names lines of the table, SIZE= a share of a round's messages, ATTEMPTS= those of the long
# run; figures go to benchmarks/results.json
ROUNDS ?= 5
SIZE ?= 1
ONLY ?=
bench: ATTEMPTS ?= 1000000
bench: development
	@exec $(BIN)/python -m benchmarks --rounds $(ROUNDS) --size $(SIZE) --attempts $(ATTEMPTS) \
		$(addprefix --only ,$(ONLY))

lint: development
	@echo '書式と型を検査しています / checking style and types …'
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check || { echo '整えるには / to mend it: make format'; exit 1; }
	@$(BIN)/mypy

format: development
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

# the embedded data may lie outside this folder (see contact_service/embedded/home.py)
clean:
	@if [ -x $(BIN)/contact-service ] && [ ! -e .venv/unfinished ]; then $(BIN)/python -m contact_service.embedded.clean; fi
	@rm -rf .venv .contact-service demo-output build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +

runtime:
	@sh .ci/environment requirements.lock

development:
	@sh .ci/environment requirements-dev.lock

# a run of a million targets: minutes, and some gigabytes on disk
bench-report: development
	@exec $(BIN)/python -m benchmarks.report_scale
