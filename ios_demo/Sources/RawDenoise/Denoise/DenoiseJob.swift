import Foundation

/// Why a run was stopped, in the words that the user reads.
public enum StopReason: String, Sendable {
  case user = "stopped"
  case background = "the app went to the background, where it may not compute; start again"
  case memory = "the system ran out of memory; close other apps, or denoise a smaller capture"
}

/// Thrown out of a run that was stopped; nothing of it is kept.
public struct Stopped: Error, Equatable {
  public let reason: StopReason

  public init(reason: StopReason) {
    self.reason = reason
  }
}

/// Stops a run from another thread.
public final class StopSwitch: @unchecked Sendable {
  private let lock = NSLock()
  private var reason: StopReason?

  public init() {}

  /// The first reason stays: it is what the user did or saw.
  public func stop(_ why: StopReason) {
    lock.withLock { reason = reason ?? why }
  }

  /// - Throws: `Stopped` once `stop` was called.
  public func check() throws {
    if let reason = lock.withLock({ reason }) { throw Stopped(reason: reason) }
  }
}

/// A frame that was denoised, and what the screen says of it.
public struct Denoised: Equatable, Sendable {
  public let frame: RawFrame
  public let gain: Float?
  /// Which network of the array served it.
  public let member: Int
  public let milliseconds: Double

  public var millisecondsPerMegapixel: Double { milliseconds / frame.megapixels }
}

/// One run from a frame to a result; called off the main thread.
public struct DenoiseJob {
  public let denoiser: FrameDenoiser

  public init(denoiser: FrameDenoiser) {
    self.denoiser = denoiser
  }

  /// - Throws: `Stopped`, `DenoiseError`, or what the engine throws; then there is no result.
  public func run(
    _ frame: RawFrame, gain: Float?, stop: StopSwitch, progress: (Int, Int) -> Void
  ) throws -> Denoised {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try denoiser.denoise(
      frame, gain: gain, progress: progress, checkCancelled: stop.check)
    // A stop during the last tile counts too: what the user stopped is not shown as done.
    try stop.check()
    let scalars = try denoiser.scalars(for: frame, gain: gain, noise: nil)
    let byGain = denoiser.manifest.selector == .gain
    return Denoised(
      frame: result, gain: byGain ? scalars[0] : gain,
      member: denoiser.manifest.member(forScalar: scalars[0]),
      milliseconds: (clock.now - start) / .milliseconds(1))
  }
}
