import Foundation
import KilnModel
import LibvirtXML
import Testing

@Suite("The document of a domain as libvirt writes it")
struct LiveDomainTests {
    @Test("a running machine is read as what it is")
    func running() throws {
        let domain = try LiveDomain(xml: Self.running)
        let machine = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(1))
        #expect(domain.machine == machine)
        #expect(domain.name == machine.domainName)
        #expect(domain.kernel == "/kiln/kernel")
        #expect(domain.initrd == "/kiln/initrd,x é")
        #expect(domain.disks.map(\.target) == ["vda", "vdb", "vdc"])
        #expect(domain.disks.map(\.alias) == ["ua-root", "ua-seed", "ua-v0123456789abcdef"])
        #expect(domain.disks.map(\.backing) == [["/kiln/base.qcow2"], [], ["/kiln/vl1.qcow2"]])
        #expect(domain.disks.map(\.isReadOnly) == [false, true, false])
        #expect(domain.disks.map(\.serial) == [nil, "kiln-seed", "v0123456789abcdef"])
        #expect(domain.agent?.socket?.hasSuffix("/domain-1-kiln.lab.web.1/org.qemu.guest_agent.0") == true)
        #expect(domain.agent?.isConnected == false)
        #expect(domain.ledger?.socket == "/kiln/l.sock")
        #expect(domain.consoleSocket == "/kiln/c.sock")
        #expect(domain.consoleLog == "/kiln/c.log")
        #expect(domain.interfaces.map(\.alias) == ["ua-net0"])
    }

    @Test(
        "a domain that isn't ours, or whose metadata is damaged, has no machine",
        arguments: [
            ("urn:kiln:machine:1", "urn:other"), ("generation=\"1\"", "generation=\"0\""),
            ("generation=\"1\"", "generation=\"x\""), ("server=\"web\"", "server=\"../web\""),
            ("lab=\"lab\"", ""), ("kiln:machine", "kiln:other"),
        ]
    )
    func notOurs(found: String, replacement: String) throws {
        let xml = Self.running.replacingOccurrences(of: found, with: replacement)
        #expect(xml != Self.running)
        #expect(try LiveDomain(xml: xml).machine == nil)
    }

    @Test("a disk that is no file, and a drive without a medium, have no path")
    func otherDisks() throws {
        let xml = """
            <domain><name>x</name><uuid>\(UUID())</uuid><devices>
            <disk type='network'><source protocol='nbd' name='x'/><target dev='vda'/></disk>
            <disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>
            </devices></domain>
            """
        let domain = try LiveDomain(xml: xml)
        #expect(domain.disks.map(\.target) == ["vda", "sda"])
        #expect(domain.disks.map(\.path) == [nil, nil])
    }

    /// Written by libvirt 9.0 for a running machine, without the controllers and the devices after the channels.
    private static let running = """
        <domain type='qemu' id='1'>
          <name>kiln.lab.web.1</name>
          <uuid>4951ac42-1bd4-4f0d-9ceb-4db37e7c7304</uuid>
          <genid>53e14bd4-344d-42ef-82cf-8e87e4534dd9</genid>
          <metadata>
            <kiln:machine xmlns:kiln="urn:kiln:machine:1" lab="lab" server="web" generation="1"/>
          </metadata>
          <memory unit='KiB'>196608</memory>
          <currentMemory unit='KiB'>196608</currentMemory>
          <vcpu placement='static'>2</vcpu>
          <os>
            <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
            <kernel>/kiln/kernel</kernel>
            <initrd>/kiln/initrd,x é</initrd>
            <cmdline>console=ttyS0 root=/dev/vda a=&quot;&lt;x&gt;&amp;,&quot; panic=0</cmdline>
            <boot dev='hd'/>
          </os>
          <features>
            <acpi/>
            <apic/>
          </features>
          <cpu mode='custom' match='exact' check='full'>
            <model fallback='forbid'>qemu64</model>
            <feature policy='require' name='hypervisor'/>
            <feature policy='require' name='lahf_lm'/>
          </cpu>
          <clock offset='utc'/>
          <on_poweroff>destroy</on_poweroff>
          <on_reboot>restart</on_reboot>
          <on_crash>destroy</on_crash>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2' cache='writeback' error_policy='stop' discard='unmap'/>
              <source file='/kiln/root.qcow2' index='2'/>
              <backingStore type='file' index='3'>
                <format type='qcow2'/>
                <source file='/kiln/base.qcow2'/>
                <backingStore/>
              </backingStore>
              <target dev='vda' bus='virtio'/>
              <alias name='ua-root'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x18' function='0x0'/>
            </disk>
            <disk type='file' device='disk'>
              <driver name='qemu' type='raw'/>
              <source file='/kiln/seed.iso' index='6'/>
              <backingStore/>
              <target dev='vdb' bus='virtio'/>
              <readonly/>
              <serial>kiln-seed</serial>
              <alias name='ua-seed'/>
              <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
            </disk>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2' cache='writeback' error_policy='stop' discard='unmap'/>
              <source file='/kiln/vol.qcow2' index='4'/>
              <backingStore type='file' index='5'>
                <format type='qcow2'/>
                <source file='/kiln/vl1.qcow2'/>
                <backingStore/>
              </backingStore>
              <target dev='vdc' bus='virtio'/>
              <serial>v0123456789abcdef</serial>
              <alias name='ua-v0123456789abcdef'/>
              <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
            </disk>
            <interface type='user'>
              <mac address='52:54:00:59:d0:6a'/>
              <model type='virtio'/>
              <alias name='ua-net0'/>
              <rom enabled='no'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x1e' function='0x0'/>
            </interface>
            <serial type='unix'>
              <source mode='bind' path='/kiln/c.sock'/>
              <log file='/kiln/c.log' append='on'/>
              <target type='isa-serial' port='0'>
                <model name='isa-serial'/>
              </target>
              <alias name='ua-console'/>
            </serial>
            <console type='unix'>
              <source mode='bind' path='/kiln/c.sock'/>
              <log file='/kiln/c.log' append='on'/>
              <target type='serial' port='0'/>
              <alias name='ua-console'/>
            </console>
            <channel type='unix'>
              <source mode='bind' path='/home/cfg/libvirt/qemu/channel/target/domain-1-kiln.lab.web.1/org.qemu.guest_agent.0'/>
              <target type='virtio' name='org.qemu.guest_agent.0' state='disconnected'/>
              <alias name='ua-agent'/>
              <address type='virtio-serial' controller='0' bus='0' port='1'/>
            </channel>
            <channel type='unix'>
              <source mode='bind' path='/kiln/l.sock'/>
              <target type='virtio' name='kiln.ledger' state='disconnected'/>
              <alias name='ua-ledger'/>
              <address type='virtio-serial' controller='0' bus='0' port='2'/>
            </channel>
          </devices>
        </domain>
        """
}
