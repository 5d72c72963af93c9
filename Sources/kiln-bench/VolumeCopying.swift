/// The times of copying a volume in some ways, in milliseconds.
struct VolumeCopying: Sendable, Codable {
    /// Whether a running machine writes to the volume.
    let isAttached: Bool
    let snapshot: Summary
    let clone: Summary
    /// `qemu-img create -b` over the volume's content.
    let layer: Summary
    /// `cp` of the file that holds the content.
    let copy: Summary

    /// Whether a snapshot and a clone take less than a second.
    var isMet: Bool { snapshot.median < 1_000 && clone.median < 1_000 }
}
