import Foundation
import KilnCLI
import KilnHost

@main
enum Main {
    static func main() async {
        // First of all: kiln runs itself once more as the parent of the private libvirt daemon.
        DaemonReaper.runIfRequested(arguments: CommandLine.arguments)
        // And as the process that reads what a guest made of its root.
        RootWalk.runIfRequested(arguments: CommandLine.arguments)
        // And as the switch of a lab's network, and the parent of one.
        SwitchProcess.runIfRequested(arguments: CommandLine.arguments)
        // And as what keeps the front of a server.
        FrontProcess.runIfRequested(arguments: CommandLine.arguments)
        // And as the parent of what an embedded libvirt starts.
        EmbedFront.runIfNeeded(arguments: CommandLine.arguments)
        exit(await KilnCommand.status(of: Array(CommandLine.arguments.dropFirst())))
    }
}
