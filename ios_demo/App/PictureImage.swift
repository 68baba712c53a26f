#if canImport(UIKit)
  import CoreGraphics
  import Foundation
  import RawDenoise
  import UIKit

  enum PictureImage {
    static func make(_ picture: Picture) -> UIImage {
      let data = NSData(data: Data(picture.pixels)) as CFData
      let info = CGBitmapInfo(rawValue: CGImageAlphaInfo.noneSkipLast.rawValue)
      guard let provider = CGDataProvider(data: data),
        let space = CGColorSpace(name: CGColorSpace.sRGB),
        let image = CGImage(
          width: picture.columns, height: picture.rows, bitsPerComponent: 8, bitsPerPixel: 32,
          bytesPerRow: 4 * picture.columns, space: space, bitmapInfo: info, provider: provider,
          decode: nil, shouldInterpolate: true, intent: .defaultIntent)
      else { return UIImage() }
      return UIImage(cgImage: image)
    }
  }
#endif
