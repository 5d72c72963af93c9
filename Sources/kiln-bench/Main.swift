import ArgumentParser
import Foundation
import KilnHost
import KilnStore

@main
struct KilnBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln-bench",
        abstract: "Compare kiln with raw QEMU and with a script, and measure what users and commands wait for.",
        discussion: """
            Images come from the store of KILN_HOME; everything else happens in a home that exists for this run only.
            The exit status is 0 whether or not the aims are met.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    @Option(help: "How often each thing is measured; without it, 5 times, with debian-13 and etcd 3 times.")
    var runs: Int?

    @Option(help: "Measure only this.")
    var only: Benchmark.Part?

    @Option(help: "How the report is written to standard output.")
    var format = Format.table

    @Option(help: "The kiln program; without it, the one beside this program.")
    var kiln: String?

    func validate() throws {
        if let runs, !(1...100).contains(runs) { throw ValidationError("--runs takes 1 to 100.") }
    }

    func run() async throws {
        let images = ImageStore(root: try KilnHome.location() + "/images")
        let home = try PrivateHome(images: images.root)
        let benchmark = Benchmark(
            kiln: Kiln(try program, home: home),
            images: images,
            parts: only.map { [$0] } ?? Benchmark.Part.allCases,
            runs: runs,
            say: { FileHandle.standardError.write(Data("\($0)\n".utf8)) }
        )
        let measuring = Task { try await benchmark.run() }
        Interruption.install { measuring.cancel() }
        let result = await measuring.result
        await home.remove()
        switch result {
        case .success(let report): print(format == .json ? try report.json : report.text, terminator: "")
        case .failure(is CancellationError): throw ExitCode(130)
        case .failure(let error):
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    private var program: String {
        get throws {
            let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            let path = URL(fileURLWithPath: kiln ?? beside.path + "/kiln").path
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw ValidationError("there is no program \(path); build it, or name it with --kiln")
            }
            return path
        }
    }
}

extension Benchmark.Part: ExpressibleByArgument {}
