// Where a command writes, and whether colour shows there.

import Glibc

/// Standard output and standard error of a command; tests give closures of their own.
public struct Terminal: Sendable {
    /// Rows, plans, reports.
    public let write: @Sendable (String) -> Void
    /// Errors, hints, progress.
    public let writeError: @Sendable (String) -> Void
    public let outputStyle: TextStyle
    public let errorStyle: TextStyle

    public init(
        write: @escaping @Sendable (String) -> Void,
        writeError: @escaping @Sendable (String) -> Void,
        outputStyle: TextStyle = TextStyle(isColored: false),
        errorStyle: TextStyle = TextStyle(isColored: false)
    ) {
        self.write = write
        self.writeError = writeError
        self.outputStyle = outputStyle
        self.errorStyle = errorStyle
    }

    /// The process's own. Colour only where a terminal shows it and NO_COLOR is not set.
    public static func process() -> Terminal {
        Terminal(
            write: { writeAll($0, to: STDOUT_FILENO) },
            writeError: { writeAll($0, to: STDERR_FILENO) },
            outputStyle: TextStyle(isColored: showsColor(STDOUT_FILENO)),
            errorStyle: TextStyle(isColored: showsColor(STDERR_FILENO)))
    }
}

/// Marks for a terminal; nothing where there is no colour.
public struct TextStyle: Sendable {
    public let isColored: Bool

    public init(isColored: Bool) { self.isColored = isColored }

    public func heading(_ text: String) -> String { marked(text, "1") }
    public func error(_ text: String) -> String { marked(text, "1;31") }
    public func hint(_ text: String) -> String { marked(text, "36") }

    private func marked(_ text: String, _ code: String) -> String {
        isColored ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}

private func showsColor(_ descriptor: Int32) -> Bool {
    // SAFETY: getenv's answer is only compared with nil.
    let isRefused = unsafe getenv("NO_COLOR") != nil
    return isatty(descriptor) == 1 && !isRefused
}

/// Writes it all, or stops where nobody reads any more.
private func writeAll(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        // SAFETY: the buffer lives through the call and its own count is given.
        let written = unsafe rest.withUnsafeBytes {
            unsafe write(descriptor, $0.baseAddress, $0.count)
        }
        if written < 0, errno != EINTR { return }
        rest = rest.dropFirst(max(0, written))
    }
}
