internal import CLibvirt
import Foundation
import Synchronization

/// Hands libvirt's events to every stream of a connection.
///
/// libvirt keeps it for its callbacks. The free callback that releases it may not call libvirt, and dropping this calls
/// nothing: it holds one end of each stream and no connection.
final class EventHub: Sendable {
    private let readers = Mutex<[Int: AsyncStream<DomainEvent>.Continuation]>([:])

    var isEmpty: Bool { readers.withLock { $0.isEmpty } }

    func add(_ number: Int, _ continuation: AsyncStream<DomainEvent>.Continuation) {
        readers.withLock { $0[number] = continuation }
    }

    func remove(_ number: Int) {
        _ = readers.withLock { $0.removeValue(forKey: number) }
    }

    /// Ends every stream, outside the lock because that runs the streams' termination handlers.
    func finish() {
        let ending = readers.withLock { readers in
            defer { readers = [:] }
            return readers
        }
        for continuation in ending.values { continuation.finish() }
    }

    /// Copies the domain's name and UUID, which are fields of the handle, and hands the event over.
    func yield(_ domain: virDomainPtr?, _ kind: DomainEvent.Kind) {
        guard let domain, let name = virDomainGetName(domain) else { return }
        let event = DomainEvent(domain: String(cString: name), uuid: UUID(of: domain), kind: kind)
        let readers = self.readers.withLock { Array($0.values) }
        for reader in readers { reader.yield(event) }
    }

    static func from(_ opaque: UnsafeMutableRawPointer?) -> EventHub? {
        opaque.map { Unmanaged<EventHub>.fromOpaque($0).takeUnretainedValue() }
    }
}
