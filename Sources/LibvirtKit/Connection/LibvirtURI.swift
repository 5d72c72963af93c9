import Foundation

/// A connection URI that can only reach a hypervisor on this host and can never run a program.
///
/// libvirt's remote transports take parameters such as `command=`, `netcat=` and `pkipath=` that make the client run
/// programs or read files of the URI's choosing. So schemes, paths and parameters are allowed by name; the rest is refused.
///
/// Accepted:
/// - `qemu:///system`, `qemu:///session`
/// - `qemu+unix:///system` and `qemu+unix:///session`, each with an optional `?socket=/absolute/path`
/// - `qemu:///embed?root=/absolute/path`
/// - `test:///default`, `test:///absolute/path/node.xml`
public struct LibvirtURI: Sendable, Hashable, CustomStringConvertible {
    /// Where the driver of a URI runs.
    public enum Placement: Sendable, Hashable {
        /// In a daemon, reached through a UNIX socket.
        case daemon
        /// In this process (`embed` and `test`).
        case inProcess
    }

    /// The URI as given.
    public let text: String
    /// Where the driver runs.
    public let placement: Placement

    /// The URI as given.
    public var description: String { text }

    /// Accepts a URI of the list above.
    ///
    /// - Throws: ``LibvirtError`` with code `invalidArgument` and origin `uri` for anything else.
    public init(validating text: String) throws(LibvirtError) {
        if let problem = Self.problem(in: text) {
            throw LibvirtError(
                code: .invalidArgument,
                origin: .uri,
                message: problem,
                operation: "accept connection URI",
                subject: String(text.prefix(200)).replacing("\0", with: "\\0")
            )
        }
        self.text = text
        placement = text.hasPrefix("test:") || text.hasPrefix("qemu:///embed") ? .inProcess : .daemon
    }

    /// The sentence that says why a URI is refused; nil for a good one.
    private static func problem(in text: String) -> String? {
        // libvirt splits parameters at ';' too and URLComponents does not: only characters on which every reader
        // of URIs agrees are let through.
        let plain = CharacterSet(
            charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/?&=%._~+@,-"
        )
        guard text.unicodeScalars.allSatisfy(plain.contains) else {
            return "only letters, digits and :/?&=%._~+@,- are accepted; write other characters as %XX"
        }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme else { return "not a URI" }
        guard text.hasPrefix("\(scheme):///") else {
            return "a host, user or port is not accepted; expected \(scheme):///…"
        }
        let parameters = parts.queryItems ?? []
        switch (scheme, parts.path) {
        case ("qemu", "/system"), ("qemu", "/session"):
            return problem(in: parameters, allowed: nil, required: false)
        case ("qemu+unix", "/system"), ("qemu+unix", "/session"):
            return problem(in: parameters, allowed: "socket", required: false)
        case ("qemu", "/embed"):
            return problem(in: parameters, allowed: "root", required: true)
        case ("test", let path):
            guard path == "/default" || path.hasSuffix(".xml") else {
                return "expected test:///default or test:///….xml"
            }
            return problem(in: parameters, allowed: nil, required: false)
        default:
            return
                "expected qemu:///system, qemu:///session, qemu+unix:///session?socket=…, qemu:///embed?root=… or test:///…"
        }
    }

    private static func problem(in parameters: [URLQueryItem], allowed: String?, required: Bool) -> String? {
        for parameter in parameters {
            guard parameter.name == allowed else {
                return "parameter '\(parameter.name)' is not accepted" + (allowed.map { "; only '\($0)' is" } ?? "")
            }
            guard let value = parameter.value, value.hasPrefix("/"), !value.utf8.contains(0) else {
                return "parameter '\(parameter.name)' must be an absolute path"
            }
        }
        if parameters.count > 1 { return "parameter '\(parameters[0].name)' is given twice" }
        if required, parameters.isEmpty, let allowed { return "parameter '\(allowed)' is missing" }
        return nil
    }
}
