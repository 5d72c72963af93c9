import KilnModel
import Testing

@testable import KilnEngine

/// Documents as cloud-init 25.1 writes them to /run/cloud-init.
@Suite struct CloudInitStatusTests {
    private let done = #"""
        {"v1": {"datasource": "DataSourceNoCloud [seed=/dev/vdb]", "errors": []}}
        """#
    private let failed = #"""
        {"v1": {"datasource": "DataSourceNoCloud [seed=/dev/vdb]", "errors":
          ["('scripts_user', RuntimeError('Runparts: 1 failures (runcmd) in 1 attempted commands'))"]}}
        """#

    private func status(final: String = "{}") -> String {
        #"""
        {"v1": {"datasource": "DataSourceNoCloud [seed=/dev/vdb]",
          "init": {"errors": [], "finished": 21.4, "recoverable_errors": {}, "start": 19.2},
          "init-local": {"errors": [], "finished": 14.1, "recoverable_errors": {}, "start": 13.3},
          "modules-config": {"errors": [], "finished": 25.2, "recoverable_errors": {}, "start": 24.8},
          "modules-final": {"errors": [], "finished": 28.9, "recoverable_errors": \#(final), "start": 28.1},
          "stage": null}}
        """#
    }

    private func finding(_ result: String, _ status: String?, allowDegraded: Bool = false) -> ProbeFinding {
        CloudInitStatus.finding(
            result: Array(result.utf8),
            status: status.map { Array($0.utf8) },
            allowDegraded: allowDegraded
        )
    }

    @Test("done is done, with or without a status file")
    func isDone() {
        #expect(finding(done, status()) == .holds)
        #expect(finding(done, nil) == .holds)
    }

    @Test("errors are final, and told")
    func hasFailed() {
        guard case .failed(let reason) = finding(failed, status(), allowDegraded: true) else {
            Issue.record("not failed")
            return
        }
        #expect(reason.contains("scripts_user"))
    }

    @Test("a recoverable error is degraded: a failure unless it is tolerated")
    func isDegraded() {
        let warned = status(final: #"{"WARNING": ["Failed to set locale"]}"#)
        #expect(finding(done, warned) == .failed("cloud-init is degraded: 'Failed to set locale'"))
        #expect(finding(done, warned, allowDegraded: true) == .holds)
    }

    @Test("a deprecation alone does not make it degraded")
    func isDeprecated() {
        #expect(finding(done, status(final: #"{"DEPRECATED": ["chpasswd.list is deprecated"]}"#)) == .holds)
    }

    @Test(
        "a result that is half written, or something else, is not yet a result",
        arguments: ["", "{", "[]", #"{"v2":{}}"#]
    )
    func half(_ result: String) {
        guard case .notYet = finding(result, status()) else {
            Issue.record("taken for a result")
            return
        }
    }
}
