import Glibc

extension RootWalk {
    /// Lines and bytes, on standard output where nothing else is said.
    struct Output {
        private let descriptor: Int32
        private var buffer: [UInt8] = []
        /// Whether everything could be written so far.
        private(set) var isWhole = true
        /// Whether there was no room for more.
        private(set) var isRoomMissing = false

        init(descriptor: Int32 = 1) { self.descriptor = descriptor }

        mutating func write(_ line: String) {
            buffer += line.utf8
            buffer.append(0x0a)
            if buffer.count > 1 << 16 { _ = flush() }
        }

        mutating func write(_ bytes: [UInt8]) {
            buffer += bytes
            if buffer.count > 1 << 16 { _ = flush() }
        }

        mutating func write(_ bytes: UnsafeRawBufferPointer) {
            buffer += bytes
            if buffer.count > 1 << 16 { _ = flush() }
        }

        /// Writes what is left; whether everything was written.
        mutating func flush() -> Bool {
            var rest = buffer[...]
            while !rest.isEmpty && isWhole {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                isWhole = count > 0
                isRoomMissing = count < 0 && (errno == ENOSPC || errno == EDQUOT)
                rest = rest.dropFirst(max(0, count))
            }
            buffer.removeAll(keepingCapacity: true)
            return isWhole
        }
    }
}
