// Running Python from tests: what judges our files is other people's readers, and they are Python
// packages (deltalake, duckdb, pyarrow) in the `.venv` that `scripts/test` makes.

public import Foundation

/// The interpreter and its scripts.
public enum Python {
    /// The repository's root, from this file's own place.
    public static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    public static let interpreter: URL? = {
        let named = ProcessInfo.processInfo.environment["MILLRACE_PYTHON"].map { URL(filePath: $0) }
        let candidate = named ?? root.appending(path: ".venv/bin/python")
        return FileManager.default.isExecutableFile(atPath: candidate.path) ? candidate : nil
    }()

    /// For `.enabled(if:)`: with MILLRACE_NO_SKIP=1 the test runs, and fails, without Python.
    public static var isUsable: Bool { interpreter != nil || mayNotSkip }

    static var mayNotSkip: Bool {
        ProcessInfo.processInfo.environment["MILLRACE_NO_SKIP"] == "1"
    }

    public struct ScriptError: Error, CustomStringConvertible {
        public let description: String
    }

    /// Runs a script with `canonical` in front of it; gives what it printed. Throws what it wrote
    /// to its error stream if it fails.
    public static func run(_ script: String, _ arguments: [String] = []) throws -> String {
        guard let interpreter else {
            throw ScriptError(description: "no Python: make .venv or set MILLRACE_PYTHON")
        }
        let process = Process()
        process.executableURL = interpreter
        // Native threads of the readers may abort at Python's own exit: leave without it.
        let leave = "\nsys.stdout.flush(); import os; os._exit(0)\n"
        process.arguments = ["-c", canonical + script + leave] + arguments
        let folder = try TemporaryFolder()
        let output = folder.url.appending(path: "stdout")
        let errors = folder.url.appending(path: "stderr")
        for file in [output, errors] {
            try Data().write(to: file)
        }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ScriptError(description: try String(contentsOf: errors, encoding: .utf8))
        }
        return try String(contentsOf: output, encoding: .utf8)
    }

    /// The same, as lines.
    public static func lines(_ script: String, _ arguments: [String] = []) throws -> [String] {
        try run(script, arguments).split(separator: "\n").map(String.init)
    }

    /// Values as text without loss, the same as `canonicalText` makes in Swift; and the three
    /// readers.
    static let canonical = """
        import sys, struct
        import pyarrow as pa
        def canon(s):
            t = s.type
            if hasattr(t, 'storage_type'): s = s.value; t = s.type if s is not None else t
            if s is None or not s.is_valid: return 'null'
            if pa.types.is_boolean(t): return 'true' if s.as_py() else 'false'
            if pa.types.is_integer(t): return str(s.as_py())
            if pa.types.is_floating(t) and s.as_py() != s.as_py(): return 'nan'
            if pa.types.is_floating(t): return str(struct.unpack('<q', struct.pack('<d', \
            s.as_py()))[0])
            if pa.types.is_decimal(t):
                d = s.as_py().as_tuple()
                n = int(''.join(map(str, d.digits))) * 10 ** (d.exponent + t.scale)
                return str(-n if d.sign else n)
            if pa.types.is_date(t): return str(s.cast(pa.date32()).value)
            if pa.types.is_temporal(t):
                v = s.value
                return str({'s': v * 1000000, 'ms': v * 1000, 'us': v, 'ns': v // 1000}[t.unit])
            if pa.types.is_dictionary(t): return canon(s.dictionary[s.index.as_py()])
            if pa.types.is_null(t): return 'null'
            if pa.types.is_string(t) or pa.types.is_large_string(t) or \
            pa.types.is_string_view(t): return s.as_py().encode().hex()
            if pa.types.is_struct(t): return '{' + ','.join(canon(s[i]) for i in \
            range(t.num_fields)) + '}'
            if pa.types.is_list(t) or pa.types.is_large_list(t): return '[' + ','.join(canon(x) \
            for x in s.values) + ']'
            if pa.types.is_map(t):
                return '[' + ','.join(canon(x) for x in s.values) + ']'
            return s.as_py().hex()
        def rows(table):
            if hasattr(table, 'read_all'): table = table.read_all()
            columns = [c.combine_chunks() for c in table.columns]
            return ['|'.join(canon(c[i]) for c in columns) for i in range(table.num_rows)]
        def duck(extensions=()):
            import duckdb
            c = duckdb.connect()
            c.sql("set timezone='UTC'")
            c.sql("set enable_progress_bar=false")
            if extensions:
                from duckdb_extensions import import_extension
                for e in extensions: import_extension(e, con=c)
            return c
        def delta_duck(path, columns='*', suffix=''):
            c = duck(('avro', 'httpfs', 'delta'))
            return c.sql(f"select {columns} from delta_scan('{path}') {suffix}").to_arrow_table()

        """
}

/// A folder that goes when its owner does.
public final class TemporaryFolder: Sendable {
    public let url: URL

    public init() throws {
        url = FileManager.default.temporaryDirectory
            .appending(path: "millrace-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    public func path(_ name: String) -> String { url.appending(path: name).path }
}

/// Files of other projects to be read as a test: `MILLRACE_SHARED`, else `shared` beside the
/// repository.
public enum Shared {
    public static let folder: URL? = {
        let named = ProcessInfo.processInfo.environment["MILLRACE_SHARED"].map { URL(filePath: $0) }
        let candidate = named ?? Python.root.deletingLastPathComponent().appending(path: "shared")
        return FileManager.default.fileExists(atPath: candidate.path) ? candidate : nil
    }()

    public static var isUsable: Bool { folder != nil || Python.mayNotSkip }

    /// Throws instead of skipping under MILLRACE_NO_SKIP=1.
    public static func path(_ name: String) throws -> URL {
        guard let folder else {
            throw Python.ScriptError(description: "no shared folder: set MILLRACE_SHARED")
        }
        return folder.appending(path: name)
    }
}
