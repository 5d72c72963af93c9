import KilnHost

DaemonReaper.runIfRequested(arguments: CommandLine.arguments)
print("kiln")
