import KilnDocuments
import KilnModel

/// The external services that a file declares, for texts that name what is known of them.
struct ExternalNames: Sendable {
    /// The names; none in a file without any.
    let all: [Name]

    /// None.
    static let none = ExternalNames(all: [])

    /// How a text names what is known of one.
    private static let form =
        "${external.NAME.FIELD}, of "
        + ExternalReference.Field.allCases.map(\.rawValue).joined(separator: ", ")

    /// Whether a text of the file names something of them.
    ///
    /// In a file that declares none such words mean themselves.
    func areNamed(in text: String) -> Bool { !all.isEmpty && !ExternalReference.expressions(in: text).isEmpty }

    /// Reports what is wrong with what a text names; false where anything is.
    @discardableResult
    func check(_ text: String, at value: Value) -> Bool {
        let expressions = ExternalReference.expressions(in: text)
        guard !all.isEmpty else {
            for expression in expressions where ExternalReference(expression: expression) != nil {
                value.warning(
                    "\(Name.quoted("${\(expression)}")) stays as it is written: the file declares no 'external'"
                )
            }
            return true
        }
        return expressions.reduce(true) { isGood, expression in check(expression: expression, at: value) && isGood }
    }

    private func check(expression: String, at value: Value) -> Bool {
        guard let reference = ExternalReference(expression: expression) else {
            value.problem("expected \(ExternalNames.form), found \(Name.quoted("${\(expression)}"))")
            return false
        }
        return value.reference("service in 'external'", text: reference.external.text, among: all) != nil
    }

    /// Why a server can't use one.
    static func isolated(_ server: Name) -> String {
        "'\(server)' is isolated and reaches nothing on the host, also no external service; say 'network: open'"
    }

    /// Reports what a lab names of them anywhere but in user-data: it is read before they are there.
    func refuse(in lab: Value) {
        for text in ExternalNames.texts(in: lab) where areNamed(in: text.plainText ?? "") {
            text.problem(
                "what is known of an external service can stand in user-data and in texts of steps, and not here"
            )
        }
    }

    private static func texts(in value: Value) -> [Value] {
        guard case .map(let entries) = value.node.content else {
            if case .list(let elements) = value.node.content {
                return elements.enumerated().flatMap { index, node in
                    texts(in: Value(node: node, path: "\(value.path)[\(index)]", problems: value.problems))
                }
            }
            return [value]
        }
        return entries.filter { $0.key != ServerFields.userData.rawValue }.flatMap { entry in
            let path = FieldPath.joined(value.path, entry.key)
            return texts(in: Value(node: entry.value, path: path, problems: value.problems))
        }
    }
}
