// The table itself is put together from one list a topic (FunctionTable+Math.swift …).

/// All scalar functions and operators.
public enum FunctionTable {
    /// Every overload, in the order of the SQL reference.
    public static let all: [Function] =
        operators + math + conditional + text + regularExpressions + binary + time + json + arrays

    private static let byName = Dictionary(grouping: all, by: \.name)

    /// The overloads of a name, preferred first; empty if there is no such function.
    public static func overloads(of name: String) -> [Function] { byName[name] ?? [] }

    /// For "did you mean".
    public static var names: [String] { byName.keys.sorted() }
}
