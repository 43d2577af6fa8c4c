// Programmer errors trap, in release too. Failures of the world are typed errors; bad data is a
// value.

/// Traps with `message` and the place unless `condition` holds. On in every build: for each batch
/// and each control step, never for each row.
@inlinable
public func require(
    _ condition: Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { bug(message(), file: file, line: line) }
}

/// Ends the process: a state that the code says cannot be.
@inline(never)
public func bug(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    fatalError("bug: \(message) [\(file):\(line)]")
}

extension Optional {
    /// The value of an optional that the caller knows to be there; traps with the reason if not.
    @inlinable
    public func required(
        _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
    ) -> Wrapped {
        guard let value = self else { bug(message(), file: file, line: line) }
        return value
    }
}
