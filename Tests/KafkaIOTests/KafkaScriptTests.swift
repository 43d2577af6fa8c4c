// `scripts/kafka` with made-up tools on its PATH: which way it takes, that it can be asked again, and
// what it says when there is no way.

import Foundation
import Glibc
import Testing

/// A checkout with nothing but the script, and a PATH with nothing but what it needs.
private final class ScriptFolder {
    let root: URL
    let port: Int
    private var environment: [String: String] = [:]

    private static let tools = [
        "bash", "cat", "cut", "dirname", "env", "mkdir", "nohup", "python3", "rm", "sed", "setsid",
        "sleep", "tail", "timeout", "touch",
    ]

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "kafka-\(UUID().uuidString)")
        port = try ScriptFolder.freePort()
        for folder in ["scripts", "bin", "home/bin", "tmp"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: folder), withIntermediateDirectories: true)
        }
        let repository = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        for name in ["kafka", "kafka-compose.yaml"] {
            try FileManager.default.copyItem(
                at: repository.appending(path: "scripts/\(name)"),
                to: root.appending(path: "scripts/\(name)"))
        }
        for tool in ScriptFolder.tools {
            let place = ["/usr/bin", "/bin"].map { "\($0)/\(tool)" }
                .first { FileManager.default.isExecutableFile(atPath: $0) }
            try FileManager.default.createSymbolicLink(
                atPath: root.appending(path: "bin/\(tool)").path,
                withDestinationPath: #require(place, "\(tool)"))
        }
        environment = [
            "PATH": root.appending(path: "bin").path, "MILLRACE_KAFKA_PORT": String(port),
            "KAFKA_HOME": root.appending(path: "home").path,
        ]
    }

    deinit {
        _ = try? run("down")
        try? FileManager.default.removeItem(at: root)
    }

    /// Two free ports in a row: the broker's and the controller's.
    private static func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 20_000..<40_000)
            if isFree(port), isFree(port + 1) { return port }
        }
        throw CocoaError(.fileReadUnknown)
    }

    static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var reuse: Int32 = 1
        // SAFETY: the option is a local that outlives the call.
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        // SAFETY: the address is a local that outlives the call, as its own kind of sockaddr.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, size) == 0
            }
        }
    }

    /// Puts a tool of this text in place.
    func add(_ path: String, _ text: String) throws {
        let url = root.appending(path: path)
        try "#!/usr/bin/env bash\n\(text)\n".write(to: url, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
    }

    /// Listens on the broker's port until it is killed. Foundation waits for a process until nobody
    /// holds a descriptor that it inherited: what goes on behind closes them. It also starts what
    /// it starts with the signals blocked that the tests' own threads block.
    static let listen = """
        exec python3 -c 'import os, signal, socket
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.closerange(3, 256)
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", int(os.environ["MILLRACE_KAFKA_PORT"]))); s.listen()
        while True: s.accept()[0].close()'
        """

    /// A `docker` that writes down what it was asked; its container is a listening process.
    func addDocker(info: Int = 0, up: Int = 0, down: Int = 0) throws {
        try add("tmp/listen", ScriptFolder.listen)
        let tmp = root.appending(path: "tmp").path
        try add(
            "bin/docker",
            """
            echo "$*" >>\(tmp)/asked
            case "$*" in
            info) exit \(info) ;;
            "compose version") exit 0 ;;
            *" up "*)
                [ \(up) = 0 ] || { echo "no space left on device" >&2; exit \(up); }
                setsid \(tmp)/listen >/dev/null 2>&1 </dev/null & echo $! >\(tmp)/container ;;
            *" down "*)
                [ \(down) = 0 ] || { echo "the daemon went away" >&2; exit \(down); }
                [ -e \(tmp)/container ] && kill "$(cat \(tmp)/container)"; rm -f \(tmp)/container ;;
            *" ps "*) [ -e \(tmp)/container ] && cat \(tmp)/container; exit 0 ;;
            *" exec "*) exit 0 ;;
            esac
            """)
    }

    func addDistribution() throws {
        try add("bin/java", "exit 0")
        try add("home/bin/kafka-storage.sh", "echo made-up-id")
        try add("home/bin/kafka-broker-api-versions.sh", "exit 0")
        try add("home/bin/kafka-server-start.sh", ScriptFolder.listen)
    }

    var asked: String {
        (try? String(contentsOf: root.appending(path: "tmp/asked"), encoding: .utf8)) ?? ""
    }

    func run(_ words: String...) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = root.appending(path: "scripts/kafka")
        process.arguments = words
        process.environment = environment
        let output = root.appending(path: "tmp/output-\(UUID().uuidString)")
        try Data().write(to: output)
        let handle = try FileHandle(forWritingTo: output)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
    }

    func expect(
        _ word: String, _ status: Int32, _ text: String,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let ended = try run(word)
        #expect(ended.status == status, "\(word): \(ended.text)", sourceLocation: location)
        #expect(ended.text.contains(text), "\(word): \(ended.text)", sourceLocation: location)
    }
}

@Suite struct KafkaScriptTests {
    @Test func dockerComposeIsTheFirstWay() throws {
        let folder = try ScriptFolder()
        try folder.addDocker()
        try folder.addDistribution()
        try folder.expect("status", 3, "nothing of ours runs on port \(folder.port)")
        try folder.expect("up", 0, "up on 127.0.0.1:\(folder.port), by Docker Compose")
        try folder.expect("up", 0, "runs already on 127.0.0.1:\(folder.port)")
        try folder.expect("status", 0, "answers on 127.0.0.1:\(folder.port)")
        try folder.expect("down", 0, "down")
        try folder.expect("down", 0, "nothing of ours runs on port \(folder.port)")
        try folder.expect("status", 3, "nothing of ours")
        let project = "compose --project-name millrace-kafka-\(folder.port) --file "
        let file = folder.root.resolvingSymlinksInPath().path + "/scripts/kafka-compose.yaml"
        #expect(folder.asked.contains("\(project)\(file) up --detach"), "\(folder.asked)")
        #expect(folder.asked.contains("\(project)\(file) down --volumes"), "\(folder.asked)")
        #expect(folder.asked.components(separatedBy: " up --detach").count == 2)
    }

    /// The engine may be installed and not running, or not able to.
    @Test(arguments: [(1, 0), (0, 1)])
    func theDistributionIsTheSecond(info: Int, up: Int) throws {
        let folder = try ScriptFolder()
        try folder.addDocker(info: info, up: up)
        try folder.addDistribution()
        let started = try folder.run("up")
        #expect(started.status == 0, "\(started.text)")
        #expect(started.text.contains("up on 127.0.0.1:\(folder.port), from "))
        let tellsWhy = started.text.contains("could not start it: no space left on device")
        #expect(tellsWhy == (up == 1), "\(started.text)")
        try folder.expect("up", 0, "runs already")
        try folder.expect("status", 0, "answers")
        try folder.expect("down", 0, "down")
        try folder.expect("status", 3, "nothing of ours")
        try folder.expect("down", 0, "nothing of ours")
    }

    @Test func withoutEitherItSaysWhatToDo() throws {
        let folder = try ScriptFolder()
        try folder.expect("up", 1, "start Docker, or set KAFKA_HOME to an unpacked Apache Kafka 4")
        try folder.expect("status", 3, "nothing of ours")
        try folder.add("home/bin/kafka-server-start.sh", "exit 0")
        try folder.expect("up", 1, "Kafka needs Java 17: apt-get install")
    }

    /// What it did not start it neither takes for its own nor stops.
    @Test func aTakenPortIsNotOurs() throws {
        let folder = try ScriptFolder()
        try folder.addDocker()
        try folder.addDistribution()
        let other = Process()
        // Foundation must see it live: it keeps its descriptors.
        try folder.add(
            "tmp/other", ScriptFolder.listen.replacing("os.closerange(3, 256)", with: ""))
        other.executableURL = folder.root.appending(path: "tmp/other")
        other.environment = ProcessInfo.processInfo.environment.merging(
            ["MILLRACE_KAFKA_PORT": String(folder.port)]) { $1 }
        try other.run()
        defer {
            other.terminate()
            other.waitUntilExit()
        }
        let deadline = Date.now.addingTimeInterval(10)
        while ScriptFolder.isFree(folder.port), Date.now < deadline { usleep(20_000) }
        let ended = try folder.run("up")
        #expect(ended.status == 1)
        #expect(ended.text.contains("port \(folder.port) is taken by something"))
        try folder.expect("status", 3, "nothing of ours")
        try folder.expect("down", 0, "nothing of ours")
        #expect(other.isRunning)
    }

    @Test func aContainerThatCannotBeStoppedIsNotForgotten() throws {
        let folder = try ScriptFolder()
        try folder.addDocker(down: 1)
        try folder.addDistribution()
        try folder.expect("up", 0, "by Docker Compose")
        try folder.expect("down", 1, "could not stop it: the daemon went away")
        try folder.expect("status", 0, "answers")
        try folder.addDocker()
        try folder.expect("down", 0, "down")
    }

    @Test func aBrokerThatDiesAtOnceIsAnError() throws {
        let folder = try ScriptFolder()
        try folder.addDistribution()
        try folder.add("home/bin/kafka-server-start.sh", "echo out of memory; exit 1")
        let ended = try folder.run("up")
        #expect(ended.status == 1)
        #expect(ended.text.contains("out of memory"), "\(ended.text)")
        #expect(ended.text.contains("did not answer"), "\(ended.text)")
        try folder.expect("status", 3, "nothing of ours")
    }

    @Test func otherWordsShowTheUsage() throws {
        let folder = try ScriptFolder()
        try folder.expect("start", 2, "scripts/kafka up       starts one and waits")
    }
}
