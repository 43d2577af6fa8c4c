// PCRE2: compiled patterns, and matching them with limits.
//
// A compiled pattern never changes, so it is shared by all threads and cached. Match data, limits
// and the JIT's stack belong to a matcher, one a kernel call. Text is UTF-8, checked when it was
// decoded, so PCRE2 does not check it again. What costs too much is an error of its row.

import CPCRE2
import Columns
import Contracts
import Synchronization

/// A compiled pattern.
// because: the code is never written after `init`, and PCRE2 only reads it while matching.
@safe final class RegularExpression: @unchecked Sendable {
    fileprivate let code: OpaquePointer
    /// Capture groups, the whole match not counted.
    let groupCount: Int

    /// How PostgreSQL's flags change a pattern.
    struct Options: Hashable {
        var isCaseInsensitive = false
        /// `n`: a dot stops at line ends, `^` and `$` hold at each line.
        var dotStopsAtLines = false
        var anchorsAtLines = false
        var isExtended = false
        var isLiteral = false

        fileprivate var bits: UInt32 {
            var bits = UInt32(PCRE2_UTF) | UInt32(PCRE2_NO_UTF_CHECK)
            if isCaseInsensitive { bits |= UInt32(PCRE2_CASELESS) }
            if isLiteral { return bits | UInt32(PCRE2_LITERAL) }
            bits |= UInt32(PCRE2_UCP) | UInt32(PCRE2_DOLLAR_ENDONLY)
            if !dotStopsAtLines { bits |= UInt32(PCRE2_DOTALL) }
            if anchorsAtLines { bits |= UInt32(PCRE2_MULTILINE) }
            if isExtended { bits |= UInt32(PCRE2_EXTENDED) }
            return bits
        }
    }

    /// What is wrong with a pattern.
    struct Refusal: Error { let message: String }

    init(_ pattern: [UInt8], _ options: Options) throws(Refusal) {
        let text = options.isLiteral ? pattern : Self.translated(pattern)
        var status: Int32 = 0
        var place = 0
        // SAFETY: the pattern's bytes and count belong together; PCRE2 copies what it keeps.
        let compiled = unsafe text.withUnsafeBufferPointer { bytes in
            unsafe pcre2_compile_8(
                bytes.baseAddress, bytes.count, options.bits, &status, &place,
                nil)
        }
        guard let compiled = unsafe compiled else {
            throw Refusal(message: "invalid regular expression: \(Self.message(status))")
        }
        unsafe code = compiled
        // SAFETY: `code` is a live pattern until deinit. Without JIT the interpreter matches.
        unsafe _ = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        var count: UInt32 = 0
        // SAFETY: this option writes one uint32_t.
        unsafe _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        groupCount = Int(count)
    }

    deinit {
        // SAFETY: made in `init`, and nobody else frees it.
        unsafe pcre2_code_free_8(code)
    }

    private static func message(_ status: Int32) -> String {
        // SAFETY: PCRE2 writes at most 256 bytes and says how many.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            let length = unsafe pcre2_get_error_message_8(status, buffer.baseAddress, 256)
            count = max(0, Int(length))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// PostgreSQL's word boundaries `\m \M \y \Y` in PCRE2's words; everything else is PCRE2's.
    private static func translated(_ pattern: [UInt8]) -> [UInt8] {
        guard pattern.contains(UInt8(ascii: "\\")) else { return pattern }
        var output: [UInt8] = []
        var index = 0
        while index < pattern.count {
            let byte = pattern[index]
            guard byte == UInt8(ascii: "\\"), index + 1 < pattern.count else {
                output.append(byte)
                index += 1
                continue
            }
            switch pattern[index + 1] {
            case UInt8(ascii: "m"): output.append(contentsOf: "\\b(?=\\w)".utf8)
            case UInt8(ascii: "M"): output.append(contentsOf: "\\b(?<=\\w)".utf8)
            case UInt8(ascii: "y"): output.append(contentsOf: "\\b".utf8)
            case UInt8(ascii: "Y"): output.append(contentsOf: "\\B".utf8)
            default: output.append(contentsOf: pattern[index...index + 1])
            }
            index += 2
        }
        return output
    }

    // MARK: Cache

    private struct Key: Hashable {
        let pattern: [UInt8]
        let options: Options
    }

    private static let cache = Mutex<[Key: RegularExpression]>([:])
    /// Patterns kept; more are compiled again, so that patterns out of data cannot fill memory.
    private static let cacheLimit = 256

    /// The compiled pattern, from the cache if it is there. Once a batch, or once a new pattern.
    static func compiled(
        _ pattern: [UInt8], _ options: Options
    ) throws(Refusal) -> RegularExpression {
        let key = Key(pattern: pattern, options: options)
        if let known = cache.withLock({ $0[key] }) { return known }
        let new = try RegularExpression(pattern, options)
        cache.withLock { known in
            if known.count >= cacheLimit { known.removeAll() }
            known[key] = new
        }
        return new
    }
}

extension RegularExpression.Options {
    /// PostgreSQL's flags (its table 9.24) without `g`, which is the caller's; nil: an unknown one.
    init?(flags: some Sequence<UInt8>) {
        self.init()
        for flag in flags {
            switch flag {
            case UInt8(ascii: "i"): isCaseInsensitive = true
            case UInt8(ascii: "c"): isCaseInsensitive = false
            case UInt8(ascii: "n"), UInt8(ascii: "m"):
                (dotStopsAtLines, anchorsAtLines) = (true, true)
            case UInt8(ascii: "p"): (dotStopsAtLines, anchorsAtLines) = (true, false)
            case UInt8(ascii: "w"): (dotStopsAtLines, anchorsAtLines) = (false, true)
            case UInt8(ascii: "s"): (dotStopsAtLines, anchorsAtLines) = (false, false)
            case UInt8(ascii: "x"): isExtended = true
            case UInt8(ascii: "t"): isExtended = false
            case UInt8(ascii: "q"): isLiteral = true
            default: return nil
            }
        }
    }
}

/// Matches patterns on one thread; owns what PCRE2 writes to.
@safe struct RegularExpressionMatcher: ~Copyable {
    private let context: OpaquePointer
    private let stack: OpaquePointer?
    private var data: OpaquePointer
    private var groupCapacity: Int
    /// Groups of the last pattern; PCRE2 leaves what stands behind them as it was.
    private var groupCount = 0

    /// Steps of one match; about 0.1 s. A row that needs more is refused (`limit`).
    private static let matchLimit: UInt32 = 2_000_000
    /// Bytes of heap for one match by the interpreter, in KiB.
    private static let heapLimit: UInt32 = 16 * 1024
    private static let stackSize = (initial: 32 * 1024, limit: 1024 * 1024)

    enum Outcome { case found, absent, limit }

    init(groupCount: Int) {
        // SAFETY: every handle is created here, used by this value alone and freed in deinit.
        let context = unsafe pcre2_match_context_create_8(nil)
        let data = unsafe pcre2_match_data_create_8(UInt32(groupCount + 1), nil)
        guard let context = unsafe context, let data = unsafe data else { bug("PCRE2: no memory") }
        unsafe self.context = context
        unsafe self.data = data
        groupCapacity = groupCount + 1
        unsafe stack = pcre2_jit_stack_create_8(Self.stackSize.initial, Self.stackSize.limit, nil)
        unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
        unsafe _ = pcre2_set_match_limit_8(context, Self.matchLimit)
        unsafe _ = pcre2_set_heap_limit_8(context, Self.heapLimit)
    }

    deinit {
        // SAFETY: as in `init`.
        unsafe pcre2_match_data_free_8(data)
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_jit_stack_free_8(stack)
    }

    /// Looks for a match in `text[range]` from `start` (an index of `text`) on.
    mutating func match(
        _ expression: RegularExpression, _ text: [UInt8], _ range: ValueRange, from start: Int
    ) -> Outcome {
        groupCount = expression.groupCount
        if groupCount + 1 > groupCapacity { grow(expression.groupCount + 1) }
        let status = unsafe text.withUnsafeBufferPointer { bytes in
            // SAFETY: the range lies in the buffer, as checked by the slice; PCRE2 reads no
            // further.
            let row = unsafe UnsafeBufferPointer(
                rebasing: bytes[range.lowerBound..<range.upperBound])
            return unsafe pcre2_match_8(
                expression.code, row.baseAddress, row.count,
                start - range.lowerBound, UInt32(PCRE2_NO_UTF_CHECK), data, context)
        }
        if status > 0 { return .found }
        if status == PCRE2_ERROR_NOMATCH { return .absent }
        return .limit
    }

    private mutating func grow(_ count: Int) {
        // SAFETY: the old match data is freed once, and replaced at once.
        guard let larger = unsafe pcre2_match_data_create_8(UInt32(count), nil) else {
            bug("PCRE2: no memory")
        }
        unsafe pcre2_match_data_free_8(data)
        unsafe data = larger
        groupCapacity = count
    }

    /// A group of the last match, relative to the row's start; 0 is the whole match. nil: it took
    /// no part.
    func group(_ index: Int) -> Range<Int>? {
        guard index <= groupCount else { return nil }
        // SAFETY: the ovector has two entries for each of the pattern's groups, and one more.
        let vector = unsafe pcre2_get_ovector_pointer_8(data)
        guard let vector = unsafe vector else { return nil }
        let start = unsafe vector[index * 2]
        let end = unsafe vector[index * 2 + 1]
        guard start != Int.max, start >= 0, end >= start else { return nil }
        return start..<end
    }
}
