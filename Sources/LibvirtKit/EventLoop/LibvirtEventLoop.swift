internal import CLibvirt
import Foundation

/// libvirt's default event loop: one thread for the life of the process.
///
/// libvirt wants an event implementation registered before the first connection opens, never replaced, and run without
/// a pause; stopping it right after a close is unsafe. So it starts once and never ends.
enum LibvirtEventLoop {
    private static let started: Result<Void, LibvirtError> = start()

    /// Starts the loop unless it runs; also silences libvirt's habit of printing every error to stderr.
    static func ensureRunning() throws(LibvirtError) {
        try started.get()
    }

    private static func start() -> Result<Void, LibvirtError> {
        virSetErrorFunc(nil, { _, _ in })
        guard virInitialize() == 0, virEventRegisterDefaultImpl() == 0 else {
            return .failure(.last(operation: "start event loop", subject: "libvirt"))
        }
        let thread = Thread {
            while true {
                // A loop that cannot poll must not burn a core until it recovers.
                if virEventRunDefaultImpl() < 0 { Thread.sleep(forTimeInterval: 0.1) }
            }
        }
        thread.name = "libvirt-events"
        thread.start()
        return .success(())
    }

    /// Returns when the loop has finished the round of callbacks that it may be in.
    ///
    /// A callback deregistered during that round keeps its reference to the connection until the round ends, so a
    /// close without this fence would now and then see a leak that is none.
    static func fence() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let box = Unmanaged.passRetained(FenceBox(continuation))
            let timer = virEventAddTimeout(
                0,
                { timer, opaque in
                    // Removing a timeout in its own callback is how libvirt does a one-shot.
                    virEventRemoveTimeout(timer)
                    guard let opaque else { return }
                    Unmanaged<FenceBox>.fromOpaque(opaque).takeUnretainedValue().continuation.resume()
                },
                box.toOpaque(),
                { opaque in
                    guard let opaque else { return }
                    Unmanaged<FenceBox>.fromOpaque(opaque).release()
                }
            )
            if timer < 0 {
                box.release()
                continuation.resume()
            }
        }
    }
}

private final class FenceBox: Sendable {
    let continuation: CheckedContinuation<Void, Never>

    init(_ continuation: CheckedContinuation<Void, Never>) {
        self.continuation = continuation
    }
}
