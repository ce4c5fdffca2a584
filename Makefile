# A thin door to scripts/. `make help` lists what there is.
.PHONY: help run test bench lint format kernel build unit integration lab soak install dist clean

# Own kernel first: without it everything also runs on Debian's cloud kernel, only slower.
STAGES := packages build kernel unit $(if $(CI)$(FULL),asan) guest integration lab

help:
	@echo 'make run          first container in its own VM, from a fresh Debian 12 (root)'
	@echo 'make test         set-up and all tests, one summary line at the end (root)'
	@echo 'make build        the programs and unit tests, in build/release'
	@echo 'make kernel       our own guest kernel and initrd (cached in /var/cache/kata-cpp)'
	@echo 'make unit | integration | lab    one part of the tests'
	@echo 'make soak         create/delete cycles (KATA_CYCLES=200), and every cell of the kill matrix'
	@echo 'make bench        measurements'
	@echo 'make lint         clang-format and clang-tidy'
	@echo 'make format       lets clang-format change the files'
	@echo 'make install      DESTDIR= PREFIX=/opt/kata'
	@echo 'make dist         static archive and Debian package, in build/release/dist'
	@echo 'make clean        removes build/'

run:
	@scripts/run.sh

test:
	@scripts/check.sh $(STAGES)

unit integration lab soak:
	@scripts/check.sh packages build $@

lint:
	@scripts/packages.sh build lint
	@scripts/check.sh format tidy

format:
	@scripts/format.sh

build:
	@scripts/packages.sh build
	@scripts/build.sh release

kernel: build
	@scripts/packages.sh kernel
	@scripts/guest.sh --own

bench: build
	@scripts/packages.sh run test
	@bench/run

dist: build
	@scripts/packages.sh kernel run dist
	@scripts/dist.sh

install: build
	@scripts/install.sh

clean:
	rm -rf build
