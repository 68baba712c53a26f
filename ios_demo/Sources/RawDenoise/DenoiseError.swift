import Foundation

/// What a user can cause or has to know: what was given, what is allowed, what to do next.
public struct DenoiseError: Error, Equatable, Sendable, LocalizedError, CustomStringConvertible {
  public let message: String

  public init(_ message: String) {
    self.message = message
  }

  public var errorDescription: String? { message }
  public var description: String { message }
}
