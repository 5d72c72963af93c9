import KilnModel

extension Value {
    /// A path in a guest.
    func guestFile() -> RootPath? { text(.guestFile).flatMap { RootPath(written: $0) } }

    /// A text, or `/regular expression/`, maybe with `!` in front.
    func pattern() -> TextPattern? {
        guard let text = text("a text, or a /regular expression/") else { return nil }
        do throws(TextPattern.Mistake) {
            return try TextPattern(text)
        } catch {
            problem("expected a text, or a /regular expression/, found \(Name.quoted(text)): \(error.message)")
            return nil
        }
    }

    /// One pattern, or several of which each has to hold.
    package func patterns() -> [TextPattern]? {
        if case .list(let elements) = node.content, elements.isEmpty {
            problem("an empty list asserts nothing: add a text or a /regular expression/, or leave the field out")
            return nil
        }
        let patterns = oneOrMore(of: "patterns").map { $0.pattern() }
        return patterns.contains(nil) ? nil : patterns.compactMap { $0 }
    }

    /// A number, or bounds for one.
    func number() -> NumberCondition? {
        guard case .map = node.content else {
            guard case .scalar(let scalar) = node.content, let number = scalar.decimal else {
                mismatch("a whole number from 0 on, or a map of lt, le, gt, ge")
                return nil
            }
            return NumberCondition(number)
        }
        guard let fields = Fields<NumberFields>(self, "a number, or a map of lt, le, gt, ge") else { return nil }
        let bounds = NumberFields.allCases.map { fields[$0] }
        let (lt, le, gt, ge) = (bounds[0]?.bound(), bounds[1]?.bound(), bounds[2]?.bound(), bounds[3]?.bound())
        guard bounds.compactMap({ $0 }).count == [lt, le, gt, ge].compactMap({ $0 }).count else { return nil }
        guard let condition = NumberCondition(lt: lt, le: le, gt: gt, ge: ge) else {
            problem("expected one of lt, le, gt, ge, or two between which there is a number")
            return nil
        }
        return condition
    }

    private func bound() -> Int? { whole(in: 0...Int.max) }

    /// Permission bits as octal digits, in quotes or not.
    func mode() -> UInt16? {
        let expected = "permission bits of three or four octal digits, such as '0644'"
        guard let text = written(expected) else { return nil }
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x37).contains($0) }) else {
            mismatch(expected)
            return nil
        }
        return UInt16(text, radix: 8)
    }

    /// 64 hexadecimal digits.
    func sha256() -> ImageDigest? {
        let expected = "a sha256 of 64 hexadecimal digits"
        // Digits alone would be a number.
        guard let text = written(expected) else { return nil }
        guard let digest = ImageDigest(text), text.utf8.count == 64 else {
            mismatch(expected)
            return nil
        }
        return digest
    }

    /// A port with its protocol.
    func socket() -> PortResource? {
        let expected = "a port such as tcp:22 or udp:53, from 1 to 65535"
        guard let text = written(expected) else { return nil }
        guard let port = PortResource(text) else {
            mismatch(expected)
            return nil
        }
        return port
    }
}
