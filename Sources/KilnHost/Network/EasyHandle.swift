import CCurl
import CLinux
import Glibc

/// One transfer of libcurl, with everything that libcurl does not copy.
///
/// It belongs to one thread at a time.
final class EasyHandle {
    /// What libcurl knows it by.
    let curl: UnsafeMutableRawPointer
    /// Whether libcurl took every option; without one of them nothing must begin.
    private(set) var isComplete = true

    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private var files: [Int32] = []

    /// A transfer without options; nothing where there is no memory for one.
    init?() {
        guard let curl = curl_easy_init() else { return nil }
        self.curl = curl
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        note(kiln_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, errorText))
    }

    deinit {
        curl_easy_cleanup(curl)
        errorText.deallocate()
        lists.forEach { curl_slist_free_all($0) }
        files.forEach { _ = close($0) }
    }

    private func note(_ code: CURLcode) { if code != CURLE_OK { isComplete = false } }

    // MARK: - Options

    func set(_ option: CURLoption, _ number: Int) { note(kiln_curl_set_number(curl, option, number)) }

    func set(_ option: CURLoption, _ isOn: Bool) { set(option, isOn ? 1 : 0) }

    func set(_ option: CURLoption, _ text: String?) { note(kiln_curl_set_text(curl, option, text)) }

    func set(_ option: CURLoption, _ texts: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for text in texts {
            guard let longer = curl_slist_append(list, text) else { return isComplete = false }
            list = longer
        }
        if let list { lists.append(list) }
        note(kiln_curl_set_list(curl, option, list))
    }

    /// Has `sink` called with `context` for each part of what comes.
    func set(_ option: CURLoption, _ sink: curl_write_callback, _ contextOption: CURLoption, _ context: AnyObject) {
        note(kiln_curl_set_sink(curl, option, sink))
        note(kiln_curl_set_pointer(curl, contextOption, Unmanaged.passUnretained(context).toOpaque()))
    }

    /// Has `question` asked with `context` before a request is sent.
    func ask(_ question: curl_prereq_callback, _ context: AnyObject) {
        note(kiln_curl_set_prerequisite(curl, question))
        note(kiln_curl_set_pointer(curl, CURLOPT_PREREQDATA, Unmanaged.passUnretained(context).toOpaque()))
    }

    /// Has sockets opened by `opener`.
    func open(by opener: curl_opensocket_callback) { note(kiln_curl_set_opener(curl, opener)) }

    /// The path of a file in memory with a text, for what libcurl only takes as a file.
    func file(_ text: String) -> String {
        let descriptor = kiln_memory_file("certificates")
        let bytes = Array(text.utf8)
        if descriptor >= 0 { files.append(descriptor) }
        if write(descriptor, bytes, bytes.count) != bytes.count { isComplete = false }
        return "/proc/self/fd/\(descriptor)"
    }

    // MARK: - Facts

    func number(_ info: CURLINFO) -> Int { kiln_curl_get_number(curl, info) }

    /// The fields of the header of the last answer by their names in lower case.
    var headers: [String: String] {
        var found: [String: String] = [:]
        var last: UnsafeMutablePointer<curl_header>?
        while let field = curl_easy_nextheader(curl, UInt32(CURLH_HEADER), -1, last) {
            found[String(cString: field.pointee.name).lowercased()] = String(cString: field.pointee.value)
            last = field
        }
        return found
    }

    /// What went wrong, in libcurl's words.
    func words(_ code: CURLcode) -> String {
        errorText.pointee == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText)
    }
}
