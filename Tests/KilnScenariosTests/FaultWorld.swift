import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport

@testable import KilnScenarios

/// Runs scenarios with faults on fakes: `web` with the volume `data`, and `db`, both on the network `lan`.
struct FaultWorld {
    let world: FakeWorld
    let host: FakeLinuxHost

    init() throws {
        world = try FakeWorld()
        for version in ["1", "2"] { try world.images.add(version) }
        host = FakeLinuxHost(world)
    }

    static func text(_ steps: [String], more: String = "") -> String {
        """
        kiln: 1
        name: test
        lab:
          networks: { lan: {} }
          volumes: { data: { size: 64MiB } }
          servers:
            web:
              image: tiny:1
              volumes: { data: /data }
              networks: lan
              ports: { http: 80 }
              ready: [agent, cloud-init]
              ready-timeout: 100s
            db: { image: 'tiny:1', networks: lan, ready: [agent], ready-timeout: 100s }
        steps:
        \(steps.map { "  - \($0)" }.joined(separator: "\n"))
        \(more)
        """
    }

    /// Runs the steps.
    ///
    /// - Parameters:
    ///   - killable: whether replacements can be done by a process that can be killed.
    ///   - early: what happens to that before it has begun.
    func run(
        _ steps: [String],
        more: String = "",
        killable: Bool = false,
        early: FakeReplacementProcess.Early? = nil,
        sink: @escaping RunSink = { _ in }
    ) async throws -> ScenarioReport {
        let process = killable ? FakeReplacementProcess(self, early) : nil
        return try await world.run(FaultWorld.text(steps, more: more), host: host, process: process, sink: sink)
    }

    /// Does something when a note is taken.
    static func atNote(_ body: @escaping @Sendable () -> Void) -> RunSink {
        { event in if case .stepBegan(_, "note", _, _) = event.kind { body() } }
    }
}

extension ScenarioReport {
    /// Whether it failed since a fault hit nothing.
    var isNotHit: Bool { outcome == .failed && exit == .unmet && error?.code == ErrorCode.faultNotHit.rawValue }
}
