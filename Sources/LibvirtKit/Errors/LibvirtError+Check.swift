internal import CLibvirt
import Glibc

extension LibvirtError {
    /// The error of the libvirt call that has just failed on this thread.
    ///
    /// libvirt keeps it per thread, so it is read in the same synchronous scope as the failing call: after an `await`
    /// it could be another call's.
    static func last(operation: String, subject: String) -> LibvirtError {
        guard let error = virGetLastError() else {
            return LibvirtError(
                code: .internalError,
                origin: .none,
                message: "libvirt gave no reason",
                operation: operation,
                subject: subject
            )
        }
        return LibvirtError(
            code: Code(rawValue: error.pointee.code),
            origin: Origin(rawValue: error.pointee.domain),
            message: error.pointee.message.map { String(cString: $0) } ?? "libvirt gave no message",
            operation: operation,
            subject: subject
        )
    }

    /// Calls libvirt, traces the call, and turns a negative return code into an error.
    @discardableResult
    static func check(
        _ call: @autoclosure () throws(LibvirtError) -> Int32,
        operation: String,
        subject: String
    ) throws(LibvirtError) -> Int32 {
        let span = LibvirtSpan(operation, subject)
        let code = try call()
        guard code >= 0 else { throw span.failed() }
        span.succeeded()
        return code
    }

    /// Calls libvirt, traces the call, and turns a missing result into an error.
    static func require<Value>(
        _ call: @autoclosure () throws(LibvirtError) -> Value?,
        operation: String,
        subject: String
    ) throws(LibvirtError) -> Value {
        let span = LibvirtSpan(operation, subject)
        guard let value = try call() else { throw span.failed() }
        span.succeeded()
        return value
    }

    /// Calls libvirt, and takes ownership of the string that it allocated.
    static func take(
        _ call: @autoclosure () throws(LibvirtError) -> UnsafeMutablePointer<CChar>?,
        operation: String,
        subject: String
    ) throws(LibvirtError) -> String {
        let text = try require(try call(), operation: operation, subject: subject)
        defer { free(text) }
        return String(cString: text)
    }

    /// Refuses text with a NUL, which C would silently cut: "web\0x" would act on "web".
    static func requireCString(_ text: String, operation: String, subject: String) throws(LibvirtError) {
        guard !text.utf8.contains(0) else {
            throw LibvirtError(
                code: .invalidArgument,
                origin: .none,
                message: "text for libvirt holds a NUL character",
                operation: operation,
                subject: subject.replacing("\0", with: "\\0")
            )
        }
    }
}
