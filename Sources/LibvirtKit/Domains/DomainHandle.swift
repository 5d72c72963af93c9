internal import CLibvirt

/// The one owner of a virDomainPtr.
struct DomainHandle: ~Copyable {
    let pointer: virDomainPtr

    init(owning pointer: virDomainPtr) {
        self.pointer = pointer
    }

    /// The name, a field of the handle that no call can fail to give.
    var name: String {
        virDomainGetName(pointer).map { String(cString: $0) } ?? ""
    }

    /// Gives the reference away; the caller frees it.
    consuming func release() -> virDomainPtr {
        let pointer = pointer
        discard self
        return pointer
    }

    deinit {
        virDomainFree(pointer)
    }
}
