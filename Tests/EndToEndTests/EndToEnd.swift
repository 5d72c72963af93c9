import Testing

extension Tag {
    /// Runs the program on real machines; takes minutes.
    @Tag static var endToEnd: Self
}

/// The program as a user meets it: the binary, real machines, and what is left when they are gone.
///
/// Each suite takes a ``Lane``.
@Suite(
    "End to end",
    .tags(.endToEnd),
    .enabled(if: Home.isPossible, "needs libvirtd, QEMU and user kiln")
)
enum EndToEnd {}
