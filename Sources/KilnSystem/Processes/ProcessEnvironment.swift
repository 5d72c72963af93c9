import Foundation

/// The environment of this process.
public enum ProcessEnvironment {
    /// All variables, as they were at the first look.
    ///
    /// Foundation copies them all at each look, which half a dozen looks of every command made felt. What another process is to
    /// be given is read anew.
    public static let variables = ProcessInfo.processInfo.environment
}
