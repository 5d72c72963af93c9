import KilnDocuments
import KilnModel

extension Schema {
    static func guestPath(_ about: String) -> JSONValue { titled("path", pattern("^(/[A-Za-z0-9._@:+-]+)+$", about)) }
}
