#if canImport(AVFoundation) && canImport(UIKit)
  import AVFoundation
  import Foundation
  import RawDenoise
  import UIKit

  /// Bayer RAW captures of the back camera.
  ///
  /// The session belongs to a queue of its own: starting it blocks.
  final class Camera: NSObject, @unchecked Sendable {
    let session = AVCaptureSession()
    private let output = AVCapturePhotoOutput()
    private let queue = DispatchQueue(label: "camera")
    private var waiting: CheckedContinuation<RawFrame, any Error>?
    private var isReady = false
    private static let interrupted = DenoiseError(
      "the camera was stopped during the capture; take it again")

    /// - Throws: `DenoiseError` without permission, camera or Bayer RAW.
    func start() async throws {
      guard await AVCaptureDevice.requestAccess(for: .video) else {
        throw DenoiseError(
          "the app may not use the camera; allow it in Settings > Privacy > Camera, or open a DNG")
      }
      try await onQueue {
        if !self.isReady { try self.configure() }
        self.session.startRunning()
      }
    }

    func stop() {
      queue.async {
        self.session.stopRunning()
        self.finish(.failure(Camera.interrupted))
      }
    }

    /// One Bayer RAW frame.
    func capture() async throws -> RawFrame {
      try await withCheckedThrowingContinuation { continuation in
        queue.async {
          guard self.waiting == nil else {
            let busy = DenoiseError("a capture is being taken; wait until it is there")
            return continuation.resume(throwing: busy)
          }
          do {
            let format = try self.bayerFormat()
            self.waiting = continuation
            self.output.capturePhoto(
              with: AVCapturePhotoSettings(rawPixelFormatType: format), delegate: self)
          } catch {
            continuation.resume(throwing: error)
          }
        }
      }
    }

    private func configure() throws {
      // The plain wide camera: virtual devices of several lenses deliver no Bayer RAW.
      guard
        let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .back)
      else {
        throw DenoiseError("this device has no back camera; open a DNG instead")
      }
      session.beginConfiguration()
      defer { session.commitConfiguration() }
      session.sessionPreset = .photo
      let input = try AVCaptureDeviceInput(device: device)
      guard session.canAddInput(input), session.canAddOutput(output) else {
        throw DenoiseError("another app uses the camera; close it and try again")
      }
      session.addInput(input)
      session.addOutput(output)
      isReady = true
    }

    private func bayerFormat() throws -> OSType {
      let formats = output.availableRawPhotoPixelFormatTypes
      guard let format = formats.first(where: AVCapturePhotoOutput.isBayerRAWPixelFormat) else {
        throw DenoiseError(
          "this camera delivers no Bayer RAW; take an iPhone or iPad whose camera does, "
            + "or open a DNG")
      }
      return format
    }

    private func onQueue(_ body: @escaping @Sendable () throws -> Void) async throws {
      try await withCheckedThrowingContinuation { continuation in
        queue.async { continuation.resume(with: Result { try body() }) }
      }
    }

    /// On the queue; answers once.
    private func finish(_ result: Result<RawFrame, any Error>) {
      waiting?.resume(with: result)
      waiting = nil
    }
  }

  extension Camera: AVCapturePhotoCaptureDelegate {
    func photoOutput(
      _ output: AVCapturePhotoOutput, didFinishProcessingPhoto photo: AVCapturePhoto,
      error: (any Error)?
    ) {
      let result = Result { try Camera.frame(photo, error) }
      queue.async { self.finish(result) }
    }

    private static func frame(_ photo: AVCapturePhoto, _ error: (any Error)?) throws -> RawFrame {
      if let error {
        throw DenoiseError("the capture failed (\(error.localizedDescription)); take it again")
      }
      guard photo.isRawPhoto, let buffer = photo.pixelBuffer else {
        throw DenoiseError("the camera gave no RAW samples; take the capture again")
      }
      let capture = try CaptureMetadata(
        pixelFormat: CVPixelBufferGetPixelFormatType(buffer), metadata: photo.metadata)
      CVPixelBufferLockBaseAddress(buffer, .readOnly)
      defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
      let (rows, stride) = (CVPixelBufferGetHeight(buffer), CVPixelBufferGetBytesPerRow(buffer))
      guard let start = CVPixelBufferGetBaseAddress(buffer) else {
        throw DenoiseError("the camera gave no RAW samples; take the capture again")
      }
      let mosaic = try Mosaic<UInt16>(
        rows: rows, columns: CVPixelBufferGetWidth(buffer), bytesPerRow: stride,
        bytes: UnsafeRawBufferPointer(start: start, count: rows * stride))
      return try capture.frame(mosaic, make: "Apple", model: "iPhone")
    }
  }
#endif
