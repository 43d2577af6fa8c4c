// Runs one target under libFuzzer, whose main it is: `millrace-fuzz TARGET [libFuzzer's arguments]`; or
// packs a folder of inputs into a corpus file and back: `millrace-fuzz pack|unpack TARGET FILE FOLDER`.

import Contracts
import Foundation
import FuzzTargets

/// libFuzzer's hook before it looks at its arguments (libFuzzer documentation, "Startup
/// initialization").
@_cdecl("LLVMFuzzerInitialize")
func initialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    // SAFETY: libFuzzer hands over main's own arguments, which live to the end; nothing else runs.
    let words = unsafe UnsafeMutableBufferPointer(start: arguments.pointee, count: Int(count.pointee))
    let texts = unsafe words.compactMap { unsafe $0.map { unsafe String(cString: $0) } }
    if FuzzDriver.packs(texts) { exit(0) }
    _ = FuzzDriver.target(texts.dropFirst().first)
    unsafe setenv("MILLRACE_FUZZED", texts[1], 1)
    for index in 1..<(words.count - 1) { unsafe words[index] = unsafe words[index + 1] }
    unsafe count.pointee -= 1
    return 0
}

/// libFuzzer's hook for one input.
@_cdecl("LLVMFuzzerTestOneInput")
func runOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    // SAFETY: libFuzzer owns `data` for the length of the call; it is copied.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    if let complaint = FuzzDriver.chosen.complaint(about: input) { bug(complaint) }
    return 0
}

enum FuzzDriver {
    /// Inputs longer than this are not kept: a corpus stays readable.
    private static let keptBytes = 6_000

    static let chosen = target(ProcessInfo.processInfo.environment["MILLRACE_FUZZED"])

    static func packs(_ arguments: [String]) -> Bool {
        guard arguments.count == 5, ["pack", "unpack"].contains(arguments[1]) else { return false }
        _ = target(arguments[2])
        do {
            try (arguments[1] == "pack" ? pack : unpack)(arguments[3], arguments[4])
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
        return true
    }

    static func target(_ name: String?) -> FuzzTarget {
        if let target = name.flatMap(FuzzTarget.init(rawValue:)) { return target }
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
        let usage = "usage: millrace-fuzz TARGET … | pack|unpack TARGET FILE FOLDER; targets: \(names)\n"
        FileHandle.standardError.write(Data(usage.utf8))
        exit(2)
    }

    /// The shortest first, at most `keptBytes` each.
    private static func pack(file: String, folder: String) throws {
        let inputs = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
            FileManager.default.contents(atPath: folder + "/" + $0).map { [UInt8]($0) }
        }
        let lines = Set(inputs.filter { 1...keptBytes ~= $0.count }.map(FuzzTarget.line))
            .sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        try (lines.joined(separator: "\n") + "\n")
            .write(toFile: file, atomically: true, encoding: .utf8)
        print("\(file): \(lines.count) inputs kept of \(inputs.count)")
    }

    private static func unpack(file: String, folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        for (index, line) in text.split(separator: "\n").enumerated() {
            try Data(FuzzTarget.input(line)).write(to: URL(filePath: "\(folder)/kept-\(index)"))
        }
    }
}
