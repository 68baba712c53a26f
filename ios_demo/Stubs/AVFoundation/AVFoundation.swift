// What the app uses of AVFoundation and Core Video, for type checks on Linux. Nothing runs.
import Foundation
import UIKit

public typealias OSType = UInt32

public struct AVMediaType: Sendable { public static let video = AVMediaType() }
public enum AVLayerVideoGravity { case resizeAspect }

public final class AVCaptureDevice {
  public enum DeviceType { case builtInWideAngleCamera }
  public enum Position { case back, front }
  public static func requestAccess(for type: AVMediaType) async -> Bool { fatalError("a stub") }
  public static func `default`(
    _ kind: DeviceType, for type: AVMediaType?, position: Position
  ) -> AVCaptureDevice? { fatalError("a stub") }
}

open class AVCaptureInput {}
open class AVCaptureOutput {}

public final class AVCaptureDeviceInput: AVCaptureInput {
  public init(device: AVCaptureDevice) throws { fatalError("a stub") }
}

public final class AVCaptureSession: @unchecked Sendable {
  public enum Preset { case photo }
  public init() {}
  public var sessionPreset = Preset.photo
  public func beginConfiguration() {}
  public func commitConfiguration() {}
  public func canAddInput(_ input: AVCaptureInput) -> Bool { fatalError("a stub") }
  public func canAddOutput(_ output: AVCaptureOutput) -> Bool { fatalError("a stub") }
  public func addInput(_ input: AVCaptureInput) {}
  public func addOutput(_ output: AVCaptureOutput) {}
  public func startRunning() {}
  public func stopRunning() {}
}

public final class AVCapturePhotoSettings {
  public init(rawPixelFormatType: OSType) {}
}

public final class AVCapturePhoto {
  public var isRawPhoto: Bool { fatalError("a stub") }
  public var pixelBuffer: CVPixelBuffer? { fatalError("a stub") }
  public var metadata: [String: Any] { fatalError("a stub") }
}

public protocol AVCapturePhotoCaptureDelegate: AnyObject {
  func photoOutput(
    _ output: AVCapturePhotoOutput, didFinishProcessingPhoto photo: AVCapturePhoto,
    error: (any Error)?)
}

public final class AVCapturePhotoOutput: AVCaptureOutput {
  public override init() {}
  public var availableRawPhotoPixelFormatTypes: [OSType] { fatalError("a stub") }
  public static func isBayerRAWPixelFormat(_ format: OSType) -> Bool { fatalError("a stub") }
  public func capturePhoto(
    with settings: AVCapturePhotoSettings, delegate: any AVCapturePhotoCaptureDelegate
  ) {}
}

public final class AVCaptureVideoPreviewLayer: CALayer {
  public var session: AVCaptureSession?
  public var videoGravity = AVLayerVideoGravity.resizeAspect
}
