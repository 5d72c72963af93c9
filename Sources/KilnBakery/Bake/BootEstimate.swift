import KilnModel
import KilnStore
import KilnSystem

/// How long a boot of an image is likely to take, as people are told beforehand.
struct BootEstimate {
    let store: ImageStore
    let image: ImageManifest
    let platform: Platform

    /// Such as `about 3 min without KVM`.
    var text: String {
        if let last = try? DurableFile.readJSON([String: Double].self, from: path)?[platform.acceleration.rawValue] {
            return "about \(BootEstimate.text(last)), as the last time"
        }
        return platform.isEmulated ? "about 3 min without KVM" : "about 30 s"
    }

    /// Notes how long it took, in seconds.
    func note(_ seconds: Double) {
        // Without it people are told less.
        let known = try? DurableFile.readJSON([String: Double].self, from: path)
        try? DurableFile.makeDirectory(folder)
        try? DurableFile.writeJSON((known ?? [:]).merging([platform.acceleration.rawValue: seconds]) { $1 }, to: path)
    }

    private static func text(_ seconds: Double) -> String {
        seconds < 90 ? "\(Int(seconds.rounded(.up))) s" : "\(Int((seconds / 60).rounded(.up))) min"
    }

    private var folder: String { store.root + "/boots" }
    private var path: String { "\(folder)/\(image.digest.hex).json" }
}
