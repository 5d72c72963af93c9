# Everything that is done with Kiln from a checkout. Each target does its own set-up, asks nothing and needs no terminal.
.PHONY: setup build demo test bench sweep hosts format lint clean

SWIFT_SOURCES := Sources Tests Package.swift
KILN := .build/debug/kiln

# What kiln builds with and runs, by Debian package. libvirt0 carries the schemas that the tests check XML against.
PACKAGES := ca-certificates pkg-config libxml2-dev libcurl4-gnutls-dev libvirt-dev libvirt0 libvirt-clients libvirt-daemon \
	libvirt-daemon-driver-qemu qemu-system-x86 qemu-system-common qemu-utils mmdebstrap xorriso e2fsprogs libext2fs-dev \
	openssh-client uidmap cpio zstd xz-utils util-linux strace busybox-static dash ovmf

export DEBIAN_FRONTEND := noninteractive

## setup: installs the Debian packages that are missing; makes the system user 'kiln' when run by root
setup:
	@missing=""; \
	for package in $(PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" -eq 0 ]; then as_root=""; else as_root="sudo"; fi; \
		echo "setup: installing$$missing"; \
		$$as_root apt-get -q update && \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $$missing </dev/null || { \
			echo "setup: could not install; as root: apt-get install --no-install-recommends$$missing" >&2; exit 1; }; \
	fi
	@if [ "$$(id -u)" -eq 0 ] && ! getent passwd kiln >/dev/null; then \
		echo "setup: making the system user 'kiln', who runs the machines that root starts"; \
		useradd --system --user-group --no-create-home --home-dir /var/lib/kiln --shell /usr/sbin/nologin kiln; \
	fi
	@if [ "$$(id -u)" -eq 0 ] && ! getent passwd libvirt-qemu >/dev/null; then \
		echo "setup: making the system user 'libvirt-qemu', without whom libvirt does not start inside a process of root"; \
		useradd --system --user-group --no-create-home --home-dir /var/lib/libvirt --shell /usr/sbin/nologin libvirt-qemu; \
	fi
	@if [ "$$(id -u)" -eq 0 ] && getent group kvm >/dev/null; then \
		for user in kiln libvirt-qemu; do \
			id -nG "$$user" | grep -qw kvm && continue; \
			echo "setup: letting user '$$user' use /dev/kvm"; \
			usermod --append --groups kvm "$$user"; \
		done; \
	fi

## build: a debug build, which the tests use too
build:
	swift build

## demo: replaces a server under load and proves that no acknowledged record is lost
demo: setup build
	$(KILN) image bake tiny
	$(KILN) run Scenarios/replace-keeps-data.yaml

# What takes many boots, or some of Debian, which are minutes where they are emulated.
LONG_TESTS := EndToEnd/(Drift/debian|Formatting/anotherUUID|MountPointWriter/twentyKills)

# Runs a part of the tests, and lists what failed once more at the end.
define run-tests
@rm -f .build/tests-swift-testing.xml
swift test $(1) --xunit-output .build/tests.xml || { \
	echo "What failed:" >&2; \
	grep -hs -B 1 '<failure ' .build/tests-swift-testing.xml >&2 || echo "see above: the tests did not end" >&2; exit 1; }
endef

## test: everything, up to replacements of real machines; the small tests first, which take a minute
test: setup lint build
	$(KILN) image bake tiny debian-13
	@if [ "$$(id -u)" -eq 0 ]; then .build/debug/kiln-hosts roots --suite trixie; fi
	$(call run-tests,--skip EndToEnd)
	$(call run-tests,--skip-build --filter EndToEnd --skip '$(LONG_TESTS)')

## bench: compares kiln with raw QEMU and with a script around virsh on the same images; measures 'kiln ps' and volumes
bench: setup build
	$(KILN) image bake tiny
	$(KILN) image bake debian-13
	.build/debug/kiln-bench

## sweep: every fault at every step, random lives of the model, power cuts; an interrupted one goes on where it was
sweep: setup
	swift build --build-tests
	$(KILN) image bake tiny debian-13
	.build/debug/kiln-sweep
	swift test --skip-build --filter '$(LONG_TESTS)'

## hosts: tries the static release build on Debian 12 and 13, and boots 100 guests on each; needs root
hosts: setup
	swift build --product kiln-hosts
	swift build -c release --static-swift-stdlib --product kiln --scratch-path .build/static
	.build/debug/kiln-hosts --kiln .build/static/release/kiln --boots 100

## format: formats the sources in place
format:
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

## lint: fails where the sources are not formatted or break a rule
lint:
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

## clean: removes what was built; state in KILN_HOME stays
clean:
	swift package clean
