// swift-format-ignore-file
// What the app uses of Core Video, under the names that it has from C. Nothing runs.

public final class CVPixelBuffer {}
public struct CVPixelBufferLockFlags: Sendable {
  public static let readOnly = CVPixelBufferLockFlags()
}
@discardableResult public func CVPixelBufferLockBaseAddress(
  _ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags
) -> Int32 { fatalError("a stub") }
@discardableResult public func CVPixelBufferUnlockBaseAddress(
  _ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags
) -> Int32 { fatalError("a stub") }
public func CVPixelBufferGetBaseAddress(_ buffer: CVPixelBuffer) -> UnsafeMutableRawPointer? {
  fatalError("a stub")
}
public func CVPixelBufferGetPixelFormatType(_ buffer: CVPixelBuffer) -> OSType {
  fatalError("a stub")
}
public func CVPixelBufferGetBytesPerRow(_ buffer: CVPixelBuffer) -> Int { fatalError("a stub") }
public func CVPixelBufferGetHeight(_ buffer: CVPixelBuffer) -> Int { fatalError("a stub") }
public func CVPixelBufferGetWidth(_ buffer: CVPixelBuffer) -> Int { fatalError("a stub") }
