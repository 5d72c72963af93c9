import KilnModel

/// Frames that are to be late, in the order of their time.
struct TimedFrames {
    private struct Entry {
        let time: ContinuousClock.Instant
        let frame: [UInt8]
        let machine: MachineID
    }

    private var entries: [Entry] = []

    /// How many there are at most: a second of a busy link.
    private static let most = 8192

    /// When the next one is due.
    var next: ContinuousClock.Instant? { entries.first?.time }

    /// Keeps a frame until a time; false where there are too many.
    mutating func add(_ frame: [UInt8], to machine: MachineID, at time: ContinuousClock.Instant) -> Bool {
        guard entries.count < Self.most else { return false }
        // Almost always the last.
        var place = entries.endIndex
        while place > 0, entries[place - 1].time > time { place -= 1 }
        entries.insert(Entry(time: time, frame: frame, machine: machine), at: place)
        return true
    }

    /// Takes out those that are due.
    mutating func due(at now: ContinuousClock.Instant) -> [(frame: [UInt8], machine: MachineID)] {
        let due = entries.prefix { $0.time <= now }
        entries.removeFirst(due.count)
        return due.map { ($0.frame, $0.machine) }
    }
}
