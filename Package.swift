// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

// The arrows go one way: see Sources/README.md.
let package = Package(
    name: "kiln",
    products: [
        .executable(name: "kiln", targets: ["kiln"]),
        .library(name: "LyingLibvirt", type: .dynamic, targets: ["LyingLibvirt"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-gnutls-dev"])]),
        .systemLibrary(name: "CExt2fs", pkgConfig: "ext2fs", providers: [.apt(["libext2fs-dev"])]),
        .systemLibrary(name: "CLibvirt", pkgConfig: "libvirt-qemu", providers: [.apt(["libvirt-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .target(name: "KilnModel", swiftSettings: strict),
        .target(name: "KilnVersion", swiftSettings: strict, plugins: ["NoteCommit"]),
        .plugin(name: "NoteCommit", capability: .buildTool(), path: "Sources/NoteCommit"),
        .target(
            name: "KilnSystem",
            dependencies: ["CLinux", "KilnModel", logging, subprocess],
            swiftSettings: strict
        ),
        .target(name: "KilnDocuments", dependencies: ["KilnModel", yams], swiftSettings: strict),
        .target(
            name: "LibvirtKit",
            dependencies: ["CLibvirt", "KilnSystem", logging],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(
            name: "LibvirtXML",
            dependencies: ["CLibXML2", "KilnModel"],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(name: "KilnStore", dependencies: ["KilnModel", "KilnSystem", crypto], swiftSettings: strict),
        .target(
            name: "KilnEngine",
            dependencies: ["KilnModel", "KilnStore", "KilnSystem"],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(
            name: "KilnBakery",
            dependencies: ["KilnDocuments", "KilnEngine", "KilnModel", "KilnStore", "KilnSystem", crypto],
            swiftSettings: strict
        ),
        .target(
            name: "KilnHost",
            dependencies: [
                "CCurl", "CExt2fs", "CLinux", "KilnEngine", "KilnModel", "KilnStore", "KilnSystem", "LibvirtKit",
                "LibvirtXML", crypto,
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(
            name: "KilnFaults",
            dependencies: ["KilnDocuments", "KilnEngine", "KilnModel", "KilnStore", "KilnSystem"],
            swiftSettings: strict
        ),
        .target(
            name: "KilnScenarios",
            dependencies: ["KilnDocuments", "KilnEngine", "KilnFaults", "KilnModel", "KilnSystem", crypto, mustache],
            swiftSettings: strict
        ),
        .target(
            name: "KilnCLI",
            dependencies: [
                "KilnBakery", "KilnDocuments", "KilnEngine", "KilnFaults", "KilnHost", "KilnModel", "KilnScenarios",
                "KilnStore", "KilnSystem", "KilnVersion",
                argumentParser,
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "kiln", dependencies: ["KilnCLI", "KilnHost"], swiftSettings: strict),
        .executableTarget(
            name: "kiln-bench",
            dependencies: [
                "KilnBakery", "KilnHost", "KilnModel", "KilnStore", "KilnSystem", argumentParser, subprocess,
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "kiln-docs",
            dependencies: ["KilnBakery", "KilnCLI", "KilnModel", "KilnScenarios", argumentParser],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(name: "KilnOutside", swiftSettings: strict),
        .executableTarget(
            name: "kiln-hosts",
            dependencies: ["KilnBakery", "KilnOutside", argumentParser, crypto],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "kiln-sweep",
            dependencies: [
                "KilnFaults", "KilnModel", "KilnOutside", "KilnScenarios", "KilnSystem", argumentParser, crypto,
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(
            name: "KilnTestSupport",
            dependencies: ["KilnEngine", "KilnFaults", "KilnModel", "KilnStore", "KilnSystem", yams],
            path: "Tests/KilnTestSupport",
            swiftSettings: strict
        ),
        .target(
            name: "LyingLibvirt",
            path: "Tests/LyingLibvirt",
            linkerSettings: [.linkedLibrary("virt-qemu"), .linkedLibrary("virt")]
        ),
        .testTarget(
            name: "DocumentationTests",
            dependencies: [
                "KilnBakery", "KilnCLI", "KilnModel", "KilnScenarios", "KilnSystem", "kiln-docs", argumentParser,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["KilnModel", "kiln", "kiln-hosts", "kiln-sweep"],
            exclude: ["Support/cloud-disk"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "HostTierTests",
            dependencies: ["KilnOutside", "kiln-hosts", "kiln-sweep"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnCLITests",
            dependencies: [
                "KilnBakery", "KilnCLI", "KilnDocuments", "KilnEngine", "KilnHost", "KilnModel", "KilnScenarios",
                "KilnStore", "KilnSystem", "KilnTestSupport", argumentParser,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnDocumentsTests",
            dependencies: ["KilnDocuments", "KilnModel", "KilnTestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnEngineTests",
            dependencies: ["KilnEngine", "KilnModel", "KilnStore", "KilnSystem", "KilnTestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnFaultsTests",
            dependencies: ["KilnEngine", "KilnFaults", "KilnModel", "KilnSystem", "KilnTestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnHostTests",
            dependencies: [
                "KilnBakery", "KilnEngine", "KilnHost", "KilnModel", "KilnOutside", "KilnSystem", "KilnTestSupport",
                "LibvirtKit", "LibvirtXML", "kiln", crypto,
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "KilnModelTests", dependencies: ["KilnModel"], swiftSettings: strict),
        .testTarget(
            name: "KilnSystemTests",
            dependencies: ["KilnModel", "KilnSystem", "KilnTestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "LibvirtKitTests",
            dependencies: ["KilnSystem", "LibvirtKit"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "LibvirtXMLTests",
            dependencies: ["CLibXML2", "KilnModel", "LibvirtXML"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnScenariosTests",
            dependencies: [
                "KilnDocuments", "KilnEngine", "KilnFaults", "KilnHost", "KilnModel", "KilnScenarios", "KilnSystem",
                "KilnTestSupport",
                crypto,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnBakeryTests",
            dependencies: [
                "KilnBakery", "KilnDocuments", "KilnEngine", "KilnModel", "KilnStore", "KilnSystem",
                "KilnTestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KilnStoreTests",
            dependencies: ["KilnModel", "KilnStore", "KilnSystem", "KilnTestSupport"],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
