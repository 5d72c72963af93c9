# Everything that is done with Kiln from a checkout. Each target does its own set-up, asks nothing and needs no terminal.
.PHONY: setup build release man install deb demo test library bench sweep hosts docs format lint lint-ci sbom clean

SWIFT_SOURCES := Sources Tests Package.swift
SHELL_SOURCES := $(wildcard Tests/EndToEndTests/Support/cloud-disk .github/actions/*/*.sh .packaging/install .packaging/make-deb .packaging/p*)
KILN := .build/debug/kiln
RELEASE := .build/static/release/kiln
PACKAGE := .build/package
PREFIX ?= /usr/local

# What kiln builds with and runs, by Debian package. libvirt0 carries the schemas that the tests check XML against.
PACKAGES := ca-certificates curl pkg-config libxml2-dev libcurl4-gnutls-dev libvirt-dev libvirt0 libvirt-clients libvirt-daemon \
	libvirt-daemon-driver-qemu qemu-system-x86 qemu-system-common qemu-utils mmdebstrap xorriso e2fsprogs libext2fs-dev \
	openssh-client openssh-server openssl uidmap cpio zstd xz-utils util-linux strace busybox-static dash ovmf postgresql postgresql-client haproxy binutils dpkg-dev faketime shellcheck groff-base \
	$(shell command -v systemd-sysusers >/dev/null || echo systemd-standalone-sysusers)

# With what the tests look at reports. Nothing else needs them, and Ubuntu has no such browser.
READERS := chromium-headless-shell poppler-utils cmark-gfm python3-junitparser

export DEBIAN_FRONTEND := noninteractive

# Installs those of some Debian packages that are missing.
define install-missing
@missing=""; \
	for package in $(1); do \
		dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" -eq 0 ]; then as_root=""; else as_root="sudo"; fi; \
		echo "setup: installing$$missing"; \
		$$as_root apt-get -q update && \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $$missing </dev/null || { \
			echo "setup: could not install; as root: apt-get install --no-install-recommends$$missing" >&2; exit 1; }; \
	fi
endef

## setup: installs the Debian packages that are missing; makes the system users when run by root
setup:
	$(call install-missing,$(PACKAGES))
	@if [ "$$(id -u)" -eq 0 ]; then systemd-sysusers "$(CURDIR)/.packaging/sysusers.conf"; fi

## build: a debug build, which the tests use too
build:
	swift build

## release: the program as it is given away: optimised, with Swift's runtime inside
release:
	swift build -c release --static-swift-stdlib --disable-local-rpath --product kiln --scratch-path .build/static

## man: man pages, of the program's own definitions
man:
	swift build --product kiln-docs
	rm -rf $(PACKAGE)/man
	.build/debug/kiln-docs man $(PACKAGE)/man

## install: program, recipes, scenarios, completions and man pages below $(DESTDIR)$(PREFIX)
install: release man
	.packaging/install $(RELEASE) $(PACKAGE)/man "$(DESTDIR)" "$(PREFIX)"

## deb: a package for Debian 12 and later, in .build/package
deb: setup release man
	@.packaging/make-deb $(RELEASE) $(PACKAGE)/man $(PACKAGE)

## demo: replaces a server under load and proves that no acknowledged record is lost
demo: setup build
	$(KILN) image bake --no-test --folder Images tiny
	$(KILN) run Scenarios/replace-keeps-data.yaml

# What takes many boots, or some of Debian, which are minutes where they are emulated.
LONG_TESTS := EndToEnd/(Drift/debian|Formatting/(everywhere|otherChanges)|Mounts/nested|Runs/facts|MountPointWriter/twentyKills|Reproducible/everybody|ConfigurationTools|OfficialDisk|SharedFiles|Runs/everyKill|Faults/all|Notes/life|Debian/boots|Library/(all|twins|services)|LyingHypervisor/looking|Scenarios/(warmFirst|badImage)|Lessons/all)

# What spoils headers and recipes: a few thousand times in each run, more than a million times in a sweep.
MUTATION_TESTS := (QCOW2HeaderTests|PartitionTableTests|FATVolumeTests|TarStreamTests)/mutated|RecipeMutationTests

# Swift Testing begins all tests of a process at once. That is hundreds of programs, files and deadlines on two cores.
SMALL_TESTS := SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8

# Runs a part of the tests, and lists what failed once more at the end.
define run-tests
@rm -f .build/tests-swift-testing.xml
$(2) swift test $(1) --xunit-output .build/tests.xml || { \
	echo "What failed:" >&2; \
	grep -hs -B 1 '<failure ' .build/tests-swift-testing.xml >&2 || echo "see above: the tests did not end" >&2; exit 1; }
endef

## test: everything, up to replacements of real machines; the small tests first, which take some minutes
test: setup lint build
	$(call install-missing,$(READERS))
	$(KILN) image bake --no-test --folder Images tiny debian-13
	@if [ "$$(id -u)" -eq 0 ]; then .build/debug/kiln-hosts roots --suite trixie; fi
	$(call run-tests,--skip EndToEnd,$(SMALL_TESTS))
	$(call run-tests,--skip-build --filter EndToEnd --skip '$(LONG_TESTS)')

# A file for each scenario that passed, so that what was interrupted goes on; a changed scenario or program is run again.
LIBRARY := $(patsubst Scenarios/%.yaml,.build/library/%.passed,$(wildcard Scenarios/*.yaml Scenarios/faults/*.yaml Scenarios/faults/host/*.yaml Scenarios/images/*.yaml))

# A guest whose every instruction is emulated takes a whole core.
LANES := $(shell nproc | awk '{ print $$1 < 4 ? $$1 : 4 }')

# Its members take a leader for gone whose processor others have.
ALONE := .build/library/registry-rollout.passed

## library: bakes what is missing and runs all scenarios, as many at once as there are cores, four at most; for each a page and JUnit in .build/library; goes on where it was, and passes over what fails
library: setup build
	@status=0; $(MAKE) -j1 --no-print-directory --keep-going $(ALONE) || status=$$?; \
	$(MAKE) -j$(LANES) --output-sync=target --no-print-directory --keep-going .build/library/tested \
		$(filter-out $(ALONE),$(LIBRARY)) || status=$$?; \
	grep -hos '<testsuite [^>]*' $(LIBRARY:.passed=.xml) | \
		sed 's/.* name="\([^"]*\)".* time="\([^"]*\)".*/\2 \1/' | sort -n | \
		awk '{ sum += $$1; printf "%6.1f min  %s\n", $$1 / 60, $$2 } END { printf "%6.1f min  all %d\n", sum / 60, NR }'; \
	exit $$status

# What a lab needs that takes tested images only.
.build/library/tested: $(KILN)
	@mkdir -p $(@D)
	$(KILN) image bake --no-test --folder Images tiny
	$(KILN) image test tiny:1
	$(KILN) image test tiny:2
	$(KILN) image promote tiny:1 --to stable
	@touch $@

.build/library/only-tested-images.passed .build/library/images/image-revoked.passed: .build/library/tested

.build/library/%.passed: Scenarios/%.yaml $(KILN)
	@mkdir -p $(@D)
	$(KILN) run --bake $< --junit $(@:.passed=.xml) --html $(@:.passed=.html)
	@touch $@

## bench: compares the program as it is given away with raw QEMU and with a script around virsh on the same images; measures 'kiln ps' and volumes
bench: setup build release
	$(KILN) image bake --no-test --folder Images tiny
	$(KILN) image bake --no-test --folder Images debian-13 etcd notes
	.build/debug/kiln-bench --kiln $(RELEASE)

## sweep: every fault at every step, random lives of the model, power cuts; an interrupted one goes on where it was
sweep: setup
	swift build --build-tests
	@# A person who is not root bakes the same images, which takes ids of his own for what is another's in them.
	@[ "$$(id -u)" -ne 0 ] || for person in $$(awk -F: '$$3 >= 1000 && $$3 < 60000 { print $$1 }' /etc/passwd); do \
		runuser -u "$$person" -- test -x "$(CURDIR)/$(KILN)" || continue; \
		grep -q "^$$person:" /etc/subuid && grep -q "^$$person:" /etc/subgid && break; \
		first=$$(awk -F: '$$2 + $$3 > end { end = $$2 + $$3 } END { print (end > 100000 ? end : 100000) }' /etc/subuid /etc/subgid); \
		usermod --add-subuids "$$first-$$((first + 65535))" --add-subgids "$$first-$$((first + 65535))" "$$person"; \
		break; \
	done
	$(KILN) image bake --no-test --folder Images tiny debian-13
	.build/debug/kiln-sweep
	swift test --skip-build --filter '$(LONG_TESTS)'
	KILN_MUTATIONS=all swift test --skip-build --filter '$(MUTATION_TESTS)'

## hosts: tries the package on Debian 12 and 13, and boots 100 guests on each; needs root
hosts: deb
	swift build --product kiln-hosts
	.build/debug/kiln-hosts --package "$$(ls $(PACKAGE)/kiln_*.deb)" --boots 100

## docs: writes the tables of READMEs that are made from schemas
docs: setup
	swift build --product kiln-docs
	.build/debug/kiln-docs reference

## format: formats the sources in place
format:
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

## lint: fails where the sources are not formatted or break a rule
lint:
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)
	shellcheck $(SHELL_SOURCES)

## lint-ci: checks what GitHub reads, and all files against the schemas for editors, with tools from PyPI; needs python3-venv
lint-ci: setup build
	python3 -m venv .build/lint-ci
	.build/lint-ci/bin/pip --quiet install check-jsonschema zizmor
	.build/lint-ci/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.build/lint-ci/bin/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	.build/lint-ci/bin/zizmor --offline .github
	$(KILN) schema lab > .build/lint-ci/lab.json
	$(KILN) schema recipe > .build/lint-ci/recipe.json
	$(KILN) schema lesson > .build/lint-ci/lesson.json
	.build/lint-ci/bin/check-jsonschema --check-metaschema .build/lint-ci/lab.json .build/lint-ci/recipe.json .build/lint-ci/lesson.json
	.build/lint-ci/bin/check-jsonschema --schemafile .build/lint-ci/lab.json Scenarios/*.yaml Scenarios/faults/*.yaml Scenarios/faults/host/*.yaml $(filter-out %/lesson.yaml,$(wildcard Scenarios/lessons/*/*.yaml))
	.build/lint-ci/bin/check-jsonschema --schemafile .build/lint-ci/lesson.json Scenarios/lessons/*/lesson.yaml
	.build/lint-ci/bin/check-jsonschema --schemafile .build/lint-ci/recipe.json Images/*/image.yaml

## sbom: has SPDX's own reader, from PyPI, judge an image's bill of materials; needs python3-venv
sbom: setup build
	$(KILN) image bake --no-test --folder Images tiny
	python3 -m venv .build/sbom
	.build/sbom/bin/pip --quiet install spdx-tools
	$(KILN) image sbom tiny:1 > .build/sbom/tiny.spdx.json
	.build/sbom/bin/pyspdxtools --infile .build/sbom/tiny.spdx.json

## clean: removes what was built; state in KILN_HOME stays
clean:
	swift package clean
