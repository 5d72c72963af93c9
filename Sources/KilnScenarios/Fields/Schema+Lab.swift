import KilnDocuments
import KilnModel

extension Schema {
    static func image(_ about: String) -> JSONValue {
        titled("image", pattern("^[a-z][a-z0-9-]*(:.+|@sha256:[0-9a-f]{64}|@[a-z][a-z0-9-]*)?$", about))
    }

    static func guestPath(_ about: String) -> JSONValue { titled("path", pattern("^(/[A-Za-z0-9._@:+-]+)+$", about)) }
}
