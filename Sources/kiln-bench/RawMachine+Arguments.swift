import KilnModel

extension RawMachine {
    static let mac = "52:54:00:12:34:56"

    /// QEMU's arguments: the devices, slots and cache modes of the machines that kiln defines, and its idle parts too,
    /// such as the ports of disks, for the guest's kernel spends time on each.
    func arguments(instance: String) throws -> [String] {
        guard case .direct(let commandLine) = image.manifest.boot, let kernel = image.kernel else {
            throw Failure("\(image.manifest.name) does not boot a kernel directly; the raw QEMU here can't boot it")
        }
        let processors = image.manifest.size.processors
        return [
            "-nodefaults", "-no-user-config", "-display", "none",
            "-machine", "q35,usb=off,dump-guest-core=off,memory-backend=pc.ram",
            "-accel", processor.accelerator, "-cpu", processor.model,
            "-object", "memory-backend-ram,id=pc.ram,size=\(image.manifest.size.memory.bytes)",
            "-m", "\(image.manifest.size.memory.bytes >> 20)",
            "-smp", "\(processors),sockets=\(processors),cores=1,threads=1",
            "-device", "vmgenid,guid=auto",
            "-rtc", "base=utc", "-no-shutdown",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-kernel", kernel,
        ] + (image.initrd.map { ["-initrd", $0] } ?? [])
            + ["-append", "\(processor.completed(commandLine)) ds=nocloud;i=\(instance)"]
            + port + disks + network + serialPorts
            + ["-object", "rng-random,id=random,filename=/dev/urandom"]
            + ["-device", "virtio-rng-pci,rng=random,bus=pcie.0,addr=0x1a", "-device", "pvpanic"]
    }

    // The seed's.
    private var port: [String] {
        ["-device", "pcie-root-port,port=8,chassis=1,id=pci.1,bus=pcie.0,addr=0x1.0x0,multifunction=on"]
    }

    private var disks: [String] {
        let cached = "cache.direct=off,cache.no-flush=off,discard=unmap"
        return [
            "-blockdev", "driver=file,node-name=base-file,filename=\(image.disk),read-only=on,\(cached)",
            "-blockdev", "driver=qcow2,node-name=base,file=base-file,read-only=on,\(cached)",
            "-blockdev", "driver=file,node-name=root-file,filename=\(path("root.qcow2")),\(cached)",
            "-blockdev", "driver=qcow2,node-name=root,file=root-file,backing=base,\(cached)",
            "-device",
            "virtio-blk-pci,bus=pcie.0,addr=0x18,drive=root,serial=kiln-root,write-cache=on,"
                + "werror=stop,rerror=stop",
            "-blockdev", "driver=file,node-name=seed-file,filename=\(path("seed.iso")),read-only=on",
            "-blockdev", "driver=raw,node-name=seed,file=seed-file,read-only=on",
            "-device", "virtio-blk-pci,bus=pci.1,addr=0x0,drive=seed,serial=kiln-seed",
        ]
    }

    private var network: [String] {
        [
            "-netdev", "user,id=net",
            "-device", "virtio-net-pci,netdev=net,mac=\(RawMachine.mac),bus=pcie.0,addr=0x1e,romfile=",
        ]
    }

    private var serialPorts: [String] {
        let listening = "server=on,wait=off"
        return [
            "-chardev", "socket,id=console,path=\(path("console")),\(listening),logfile=\(path("console.log"))",
            "-device", "isa-serial,chardev=console,index=0",
            "-device", "virtio-serial-pci,id=serial,bus=pcie.0,addr=0x19",
            "-chardev", "socket,id=agent,path=\(path("agent")),\(listening)",
            "-device", "virtserialport,bus=serial.0,nr=1,chardev=agent,name=org.qemu.guest_agent.0",
            "-chardev", "socket,id=ledger,path=\(path("ledger")),\(listening)",
            "-device", "virtserialport,bus=serial.0,nr=2,chardev=ledger,name=kiln.ledger",
            "-chardev", "socket,id=monitor,path=\(path("monitor")),\(listening)",
            "-mon", "chardev=monitor,mode=control",
        ]
    }
}

extension RawMachine.Processor {
    /// The image's own command line with the flags that kiln adds.
    func completed(_ commandLine: String) -> String {
        let own = Set(commandLine.split(separator: " ").map(String.init))
        return ([commandLine] + kernelFlags.filter { !own.contains($0) }).joined(separator: " ")
    }
}
