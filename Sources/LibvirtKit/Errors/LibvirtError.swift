/// A failure reported by libvirt, or by this module in libvirt's terms.
///
/// Compare ``code`` and never the text: messages are libvirt's own and may be translated.
public struct LibvirtError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    public let code: Code
    /// The part of libvirt that reported it.
    public let origin: Origin
    /// libvirt's own sentence.
    public let message: String
    /// What was being done, as an imperative: "start domain".
    public let operation: String
    /// What it was done to: a domain's name or a URI.
    public let subject: String

    /// Makes an error in libvirt's terms.
    public init(code: Code, origin: Origin, message: String, operation: String, subject: String) {
        self.code = code
        self.origin = origin
        self.message = message
        self.operation = operation
        self.subject = subject
    }

    /// One sentence: operation, subject, libvirt's message and both numbers.
    public var description: String {
        "cannot \(operation) '\(subject)': \(message) (libvirt code \(code.rawValue), origin \(origin.rawValue))"
    }
}

extension LibvirtError {
    /// A virErrorNumber; numbers unknown to this version survive.
    ///
    /// See <https://libvirt.org/html/libvirt-virterror.html#virErrorNumber>.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// libvirt's number.
        public let rawValue: Int32

        /// Any number is accepted.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// An internal error; QEMU's and the guest agent's own refusals also arrive as this.
        public static let internalError = Code(rawValue: 1)
        /// The driver of this connection does not implement the call.
        public static let noSupport = Code(rawValue: 3)
        /// No driver, or no daemon, for the URI.
        public static let noConnect = Code(rawValue: 5)
        /// The connection is closed or broken.
        public static let invalidConnection = Code(rawValue: 6)
        /// An argument that libvirt, or this module, refuses.
        public static let invalidArgument = Code(rawValue: 8)
        /// A command of the hypervisor failed.
        public static let operationFailed = Code(rawValue: 9)
        /// XML that lacks a required part or holds a bad value.
        public static let xmlError = Code(rawValue: 27)
        /// A domain of that name or UUID exists already.
        public static let domainExists = Code(rawValue: 28)
        /// Refused on a read-only connection.
        public static let operationDenied = Code(rawValue: 29)
        /// XML that is not well formed.
        public static let xmlDetail = Code(rawValue: 35)
        /// A failed system call.
        public static let systemError = Code(rawValue: 38)
        /// A failure of the daemon's protocol.
        public static let rpc = Code(rawValue: 39)
        /// There is no such domain.
        public static let noDomain = Code(rawValue: 42)
        /// Authentication failed.
        public static let authFailed = Code(rawValue: 45)
        /// The domain's state forbids the operation, such as starting what runs.
        public static let operationInvalid = Code(rawValue: 55)
        /// A configuration that this hypervisor does not support.
        public static let configUnsupported = Code(rawValue: 67)
        /// libvirt gave up waiting, usually for another job on the same domain.
        public static let operationTimeout = Code(rawValue: 68)
        /// An argument that this hypervisor does not support; also "no guest agent configured".
        public static let argumentUnsupported = Code(rawValue: 74)
        /// The operation was aborted.
        public static let operationAborted = Code(rawValue: 78)
        /// The operation is unsupported for this domain.
        public static let operationUnsupported = Code(rawValue: 84)
        /// The guest agent is not connected or did not answer in time.
        public static let agentUnresponsive = Code(rawValue: 86)
        /// Something is in use.
        public static let resourceBusy = Code(rawValue: 87)
        /// Access control refused.
        public static let accessDenied = Code(rawValue: 88)
        /// XML that libvirt's schema refuses.
        public static let xmlInvalidSchema = Code(rawValue: 92)
        /// Authentication is not available.
        public static let authUnavailable = Code(rawValue: 94)
        /// The device is not there.
        public static let deviceMissing = Code(rawValue: 99)
    }

    /// A virErrorDomain: the part of libvirt that reports; numbers unknown to this version survive.
    ///
    /// See <https://libvirt.org/html/libvirt-virterror.html#virErrorDomain>.
    public struct Origin: RawRepresentable, Sendable, Hashable {
        /// libvirt's number.
        public let rawValue: Int32

        /// Any number is accepted.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// No part named; also the errors of this module.
        public static let none = Origin(rawValue: 0)
        /// The XML code.
        public static let xml = Origin(rawValue: 5)
        /// Operations on domains in general.
        public static let domain = Origin(rawValue: 6)
        /// The protocol between client and daemon.
        public static let rpc = Origin(rawValue: 7)
        /// The QEMU driver.
        public static let qemu = Origin(rawValue: 10)
        /// The test driver.
        public static let test = Origin(rawValue: 12)
        /// The client of a daemon.
        public static let remote = Origin(rawValue: 13)
        /// The domain's configuration.
        public static let domainConfiguration = Origin(rawValue: 20)
        /// The event loop.
        public static let event = Origin(rawValue: 40)
        /// The reading of URIs; also this module's refusals of a URI.
        public static let uri = Origin(rawValue: 45)
    }
}
