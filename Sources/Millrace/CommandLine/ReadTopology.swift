// A topology's text from disk.

public import Contracts
import Foundation
public import SQLSyntax

/// Reads a SQL file. Throws `invalid` where it is not there or not UTF-8: the user named it.
public func readTopology(_ path: String) throws(Failure) -> SourceText {
    let data: Data
    do {
        data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
        var isFolder: ObjCBool = false
        // SAFETY: the flag is this function's own and outlives the call.
        let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let reason =
            isFolder.boolValue
            ? "is a folder" : exists ? "can't be read" : "is not there"
        throw Failure(
            .invalid, "topology.unreadable", "\(path) \(reason)",
            hint: "give the path of a SQL file, relative to the current folder")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
        throw Failure(
            .invalid, "topology.not_utf8", "\(path) is not UTF-8",
            hint: "save it as UTF-8, without a byte order mark")
    }
    return SourceText(file: path, text: text)
}
