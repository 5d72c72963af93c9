import KilnModel

/// What a download may take.
struct DownloadLimits: Sendable, Hashable {
    /// The largest file.
    var largest = ByteCount(bytes: 64 << 30)
    /// How long a server may send less than ``slowest``.
    var patience = 60
    /// Bytes in a second, on the average of ``patience`` seconds.
    var slowest = 1024
    /// The longest time for all of it.
    var deadline = Duration.seconds(24 * 3600)
}
