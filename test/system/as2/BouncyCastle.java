import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.interfaces.ECPublicKey;
import java.security.spec.*;
import java.util.*;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;
import org.bouncycastle.operator.jcajce.*;

/** Bouncy Castle's CMS as the partner: each line of jobs.txt is a name, what to do, a certificate and its key; NAME.in becomes NAME.out. */
public class BouncyCastle {
  static Path folder;

  public static void main(String[] args) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    folder = Path.of(args[0]);
    for (String line : Files.readAllLines(folder.resolve("jobs.txt"))) {
      String[] words = line.split(" ");
      byte[] in = Files.readAllBytes(folder.resolve(words[0] + ".in"));
      byte[] out;
      try {
        out = run(words[1], in, certificate(words[2]), key(words[3]));
      } catch (Exception e) {
        StringWriter why = new StringWriter();
        e.printStackTrace(new PrintWriter(why));
        out = ("FAILED " + why).getBytes();
      }
      Files.write(folder.resolve(words[0] + ".out"), out);
    }
  }

  static byte[] run(String what, byte[] in, X509Certificate certificate, PrivateKey key) throws Exception {
    String[] words = what.split(":");
    String option = words.length > 1 ? words[1] : "";
    switch (words[0]) {
      case "compress": return compress(in, option.equals("stream"));
      case "inflate": return new CMSCompressedDataParser(in).getContent(new org.bouncycastle.cms.jcajce.ZlibExpanderProvider()).getContentStream().readAllBytes();
      case "encrypt": return encrypt(in, certificate, option, words.length > 2 ? words[2] : "");
      case "decrypt": return decrypt(in, key);
      case "sign": return sign(in, certificate, key, option);
      case "verify": return verify(in, certificate);
      default: throw new IllegalArgumentException(what);
    }
  }

  static byte[] compress(byte[] in, boolean streams) throws Exception {
    if (!streams) return new CMSCompressedDataGenerator().generate(new CMSProcessableByteArray(in), new ZlibCompressor()).getEncoded();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OutputStream into = new CMSCompressedDataStreamGenerator().open(out, new ZlibCompressor());
    into.write(in);
    into.close();
    return out.toByteArray();
  }

  static RecipientInfoGenerator recipient(X509Certificate certificate, String transport) throws Exception {
    if (certificate.getPublicKey() instanceof ECPublicKey) {
      KeyPairGenerator keys = KeyPairGenerator.getInstance("EC", "BC");
      keys.initialize(((ECPublicKey) certificate.getPublicKey()).getParams());
      KeyPair moment = keys.generateKeyPair();
      return new JceKeyAgreeRecipientInfoGenerator(CMSAlgorithm.ECDH_SHA256KDF, moment.getPrivate(), moment.getPublic(), CMSAlgorithm.AES256_WRAP).addRecipient(certificate).setProvider("BC");
    }
    if (transport.equals("oaep"))
      return new JceKeyTransRecipientInfoGenerator(certificate, new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP,
          new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA1, PSource.PSpecified.DEFAULT))).setProvider("BC");
    return new JceKeyTransRecipientInfoGenerator(certificate).setProvider("BC");
  }

  static byte[] encrypt(byte[] in, X509Certificate certificate, String cipher, String transport) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OutputStream into;
    if (cipher.equals("gcm")) {
      CMSAuthEnvelopedDataStreamGenerator generator = new CMSAuthEnvelopedDataStreamGenerator();
      generator.addRecipientInfoGenerator(recipient(certificate, transport));
      if (transport.equals("attributes")) {
        Attribute attribute = new Attribute(CMSAttributes.contentType, new DERSet(new ASN1Encodable[] {CMSObjectIdentifiers.data}));
        Attribute name = new Attribute(new org.bouncycastle.asn1.ASN1ObjectIdentifier("1.2.3.4.5"), new DERSet(new DERUTF8String("a name of some length, longer than a block")));
        generator.setAuthenticatedAttributeGenerator(new SimpleAttributeTableGenerator(new AttributeTable(new org.bouncycastle.asn1.DERSet(new ASN1Encodable[] {attribute, name}))));
      }
      into = generator.open(out, (OutputAEADEncryptor) new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_GCM).setProvider("BC").build());
    } else {
      CMSEnvelopedDataStreamGenerator generator = new CMSEnvelopedDataStreamGenerator();
      generator.addRecipientInfoGenerator(recipient(certificate, transport));
      into = generator.open(out, new JceCMSContentEncryptorBuilder(cipher.equals("3des") ? CMSAlgorithm.DES_EDE3_CBC : CMSAlgorithm.AES128_CBC).setProvider("BC").build());
    }
    into.write(in);
    into.close();
    return out.toByteArray();
  }

  static byte[] decrypt(byte[] in, PrivateKey key) throws Exception {
    boolean isCurve = key.getAlgorithm().startsWith("EC");
    boolean isAuthenticated = ContentInfo.getInstance(in).getContentType().equals(CMSObjectIdentifiers.authEnvelopedData);
    if (isAuthenticated) {
      RecipientInformation recipient = (RecipientInformation) new CMSAuthEnvelopedData(in).getRecipientInfos().getRecipients().iterator().next();
      return recipient.getContent(isCurve ? new JceKeyAgreeAuthEnvelopedRecipient(key).setProvider("BC") : new JceKeyTransAuthEnvelopedRecipient(key).setProvider("BC"));
    }
    RecipientInformation recipient = (RecipientInformation) new CMSEnvelopedDataParser(in).getRecipientInfos().getRecipients().iterator().next();
    return recipient.getContentStream(isCurve ? new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC") : new JceKeyTransEnvelopedRecipient(key).setProvider("BC")).getContentStream().readAllBytes();
  }

  static byte[] sign(byte[] in, X509Certificate certificate, PrivateKey key, String option) throws Exception {
    String algorithm = key.getAlgorithm().startsWith("EC") ? "SHA384withECDSA" : option.equals("pss") ? "SHA256withRSAandMGF1" : "SHA256withRSA";
    CMSSignedDataStreamGenerator generator = new CMSSignedDataStreamGenerator();
    generator.addSignerInfoGenerator(new JcaSimpleSignerInfoGeneratorBuilder().setProvider("BC").build(algorithm, key, certificate));
    generator.addCertificates(new JcaCertStore(List.of(certificate)));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OutputStream into = generator.open(out, !option.equals("detached"));
    into.write(in);
    into.close();
    return out.toByteArray();
  }

  static byte[] verify(byte[] in, X509Certificate certificate) throws Exception {
    CMSSignedDataParser parser = new CMSSignedDataParser(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build(), in);
    byte[] content = parser.getSignedContent().getContentStream().readAllBytes();
    for (SignerInformation signer : parser.getSignerInfos().getSigners())
      if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate))) throw new Exception("not signed");
    return content;
  }

  static X509Certificate certificate(String path) throws Exception {
    try (InputStream in = Files.newInputStream(Path.of(path))) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  static PrivateKey key(String path) throws Exception {
    String pem = Files.readString(Path.of(path));
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    try {
      return KeyFactory.getInstance("RSA", "BC").generatePrivate(new PKCS8EncodedKeySpec(der));
    } catch (InvalidKeySpecException e) {
      return KeyFactory.getInstance("EC", "BC").generatePrivate(new PKCS8EncodedKeySpec(der));
    }
  }
}
