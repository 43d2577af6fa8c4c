// A proxy that breaks connections on purpose: toxiproxy, from the shared folder of the tests.

import Foundation
import Glibc
import PythonSupport
import Testing

/// One proxy for one broker. It goes with this process, however that ends.
final class Toxiproxy: @unchecked Sendable {
    // because it is set up once and used by one thread at a time after that.
    struct Missing: Error, CustomStringConvertible {
        let description = "no toxiproxy: set MILLRACE_SHARED"
    }

    let port: Int
    private let controlPort: Int
    private let process = Process()
    private let lifeline = Pipe()

    static var isThere: Bool { server != nil }

    private static let server: URL? = {
        let server = Shared.folder?.appending(path: "toxiproxy/toxiproxy-server")
        return server.flatMap { FileManager.default.isExecutableFile(atPath: $0.path) ? $0 : nil }
    }()

    /// nil where the server is not to be had.
    init?() throws {
        guard let server = Toxiproxy.server else { return nil }
        let ports = try OwnBroker.freePorts(2)
        (port, controlPort) = (ports[0], ports[1])
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", "\"$0\" -host 127.0.0.1 -port \(controlPort) >/dev/null 2>&1 & cat; kill -9 $!",
            server.path,
        ]
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        try? lifeline.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    var servers: String { "127.0.0.1:\(port)" }

    func forward(to upstream: Int) throws {
        let body = """
            {"name": "kafka", "listen": "\(servers)", "upstream": "127.0.0.1:\(upstream)"}
            """
        let isUp = KafkaFixture.wait(within: 20) { (try? self.post("proxies", body)) != nil }
        try #require(isUp, "toxiproxy does not answer")
    }

    func set(isEnabled: Bool) throws { try post("proxies/kafka", "{\"enabled\": \(isEnabled)}") }

    /// A toxic in both directions.
    func add(_ type: String, _ attributes: String) throws {
        for stream in ["upstream", "downstream"] {
            try post(
                "proxies/kafka/toxics",
                "{\"type\": \"\(type)\", \"stream\": \"\(stream)\", \"attributes\": \(attributes)}")
        }
    }

    /// Enables everything and removes all toxics.
    func clear() throws { try post("reset", "{}") }

    private func post(_ path: String, _ body: String) throws {
        let curl = Process()
        curl.executableURL = URL(filePath: "/usr/bin/env")
        curl.arguments = [
            "curl", "-sf", "-X", "POST", "-d", body, "http://127.0.0.1:\(controlPort)/\(path)",
        ]
        curl.standardOutput = FileHandle.nullDevice
        try curl.run()
        curl.waitUntilExit()
        try #require(curl.terminationStatus == 0, "toxiproxy refused \(path) \(body)")
    }
}
