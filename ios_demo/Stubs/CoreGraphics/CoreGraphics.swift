// What the app uses of Core Graphics, for type checks on Linux. Nothing runs.
import Foundation

public typealias CFData = NSData
public typealias CFString = NSString

public struct CGBitmapInfo {
  public init(rawValue: UInt32) {}
}

public enum CGImageAlphaInfo: UInt32 { case noneSkipLast = 5 }
public enum CGColorRenderingIntent { case defaultIntent }

public final class CGDataProvider {
  public init?(data: CFData) { fatalError("a stub") }
}

public final class CGColorSpace {
  public static var sRGB: CFString { fatalError("a stub") }
  public init?(name: CFString) { fatalError("a stub") }
}

public final class CGImage {
  public init?(
    width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int,
    space: CGColorSpace, bitmapInfo: CGBitmapInfo, provider: CGDataProvider,
    decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool, intent: CGColorRenderingIntent
  ) { fatalError("a stub") }
}
