import com.helger.as2lib.cert.PredefinedCertificateFactory;
import com.helger.as2lib.crypto.ECompressionType;
import com.helger.as2lib.crypto.IMICMatchingHandler;
import com.helger.as2lib.message.*;
import com.helger.as2lib.partner.*;
import com.helger.as2lib.processor.DefaultMessageProcessor;
import com.helger.as2lib.processor.module.AbstractProcessorModule;
import com.helger.as2lib.processor.receiver.*;
import com.helger.as2lib.processor.receiver.net.*;
import com.helger.as2lib.processor.sender.*;
import com.helger.as2lib.processor.storage.IProcessorStorageModule;
import com.helger.as2lib.session.AS2Session;
import com.helger.commons.collection.attr.StringMap;
import com.sun.net.httpserver.HttpServer;
import jakarta.activation.*;
import jakarta.mail.internet.ContentDisposition;
import jakarta.mail.internet.MimeBodyPart;
import jakarta.mail.internet.MimeMultipart;
import java.io.*;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import java.util.concurrent.*;

/**
 * as2-lib of Philip Helger, on Bouncy Castle and Jakarta Mail, as the partner: takes messages and receipts at ports of its own, and sends messages when it is told to. The arguments
 * are a folder with certificates and keys, the ports for messages, for receipts and for whoever tells it, and its AS2 names. Orders and answers are lines of KEY=VALUE.
 */
public class As2Lib {
  static Path folder;
  static AS2Session session;
  static int receiptPort;
  /** What is known of the receipt for a message, by its Message-ID. */
  static final Map<String, CompletableFuture<String>> mics = new ConcurrentHashMap<>();
  static final Map<String, String> dispositions = new ConcurrentHashMap<>();

  public static void main(String[] args) throws Exception {
    folder = Path.of(args[0]);
    receiptPort = Integer.parseInt(args[2]);
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    for (String name : List.of("them", "strangers"))
      keys.setKeyEntry(name, key(name + ".key"), "test".toCharArray(), new java.security.cert.Certificate[] {certificate(name + ".pem")});
    keys.setCertificateEntry("us", certificate("us.pem"));

    session = new AS2Session();
    session.setCryptoVerifyUseCertificateInBodyPart(false);
    PredefinedCertificateFactory certificates = new PredefinedCertificateFactory(keys);
    StringMap attributes = new StringMap();
    attributes.putIn("password", "test");
    certificates.initDynamicComponent(session, attributes);
    session.setCertificateFactory(certificates);
    AbstractPartnershipFactory partnerships = new Agreed();
    partnerships.initDynamicComponent(session, new StringMap());
    for (String name : Arrays.asList(args).subList(4, args.length)) {
      Partnership from = between("Us", name.contains("distrusts") ? "strangers" : "us", name, "them");
      // What the MIC of a message that comes is of it takes from what was agreed on, not from the message.
      if (!name.contains("plain")) from.setSigningAlgorithm("sha-256");
      if (name.contains("compressed-before")) {
        from.setCompressionType(ECompressionType.ZLIB);
        from.setCompressionModeCompressBeforeSigning();
      }
      partnerships.addPartnership(from);
      partnerships.addPartnership(between(name, "them", "Us", "us"));
    }
    session.setPartnershipFactory(partnerships);
    DefaultMessageProcessor processor = new DefaultMessageProcessor();
    processor.initDynamicComponent(session, new StringMap());
    Files.createDirectories(folder.resolve("pending"));
    processor.setPendingMDNFolder(folder.resolve("pending").toString());
    processor.setPendingMDNInfoFolder(folder.resolve("pending").toString());
    session.setMessageProcessor(processor);

    AS2SenderModule sender = new AS2SenderModule();
    sender.initDynamicComponent(session, new StringMap());
    sender.setMICMatchingHandler(new Matching());
    sender.setResponseTimeoutMilliseconds(600_000);
    processor.addModule(sender);
    AsynchMDNSenderModule receipts = new AsynchMDNSenderModule();
    receipts.initDynamicComponent(session, new StringMap());
    processor.addModule(receipts);
    Storing storing = new Storing();
    storing.initDynamicComponent(session, new StringMap());
    processor.addModule(storing);
    AS2ReceiverModule messages = new AS2ReceiverModule();
    messages.initDynamicComponent(session, at(args[1]));
    processor.addModule(messages);
    AS2MDNReceiverModule asynchronous = new AS2MDNReceiverModule() {
      @Override
      public AS2MDNReceiverHandler createHandler() {
        AS2MDNReceiverHandler handler = new AS2MDNReceiverHandler(this);
        handler.setMICMatchingHandler(new Matching());
        return handler;
      }
    };
    asynchronous.initDynamicComponent(session, at(args[2]));
    processor.addModule(asynchronous);
    processor.startActiveModules();

    HttpServer orders = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[3])), 0);
    orders.setExecutor(Executors.newCachedThreadPool());
    orders.createContext("/", exchange -> {
      Properties order = new Properties();
      order.load(new StringReader(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
      String answer;
      try {
        answer = send(order);
      } catch (Throwable e) {
        answer = "error=" + String.valueOf(e).replaceAll("[\r\n]+", " ") + "\n";
      }
      byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    });
    orders.start();
    System.out.println("ready");
  }

  static String send(Properties order) throws Exception {
    Partnership partnership = between(order.getProperty("from", "Them"), order.getProperty("signer", "them"), order.getProperty("to", "Us"), order.getProperty("recipient", "us"));
    partnership.setAS2URL(order.getProperty("url"));
    partnership.setMessageIDFormat(UUID.randomUUID() + "@them");
    if (order.containsKey("sign")) partnership.setSigningAlgorithm(order.getProperty("sign"));
    if (order.containsKey("encrypt")) partnership.setEncryptAlgorithm(order.getProperty("encrypt"));
    if (order.containsKey("compress")) {
      partnership.setCompressionType(ECompressionType.ZLIB);
      if (order.getProperty("compress").equals("before")) partnership.setCompressionModeCompressBeforeSigning();
      else partnership.setCompressionModeCompressAfterSigning();
    }
    String receipt = order.getProperty("receipt", "none");
    if (!receipt.equals("none")) {
      partnership.setAS2MDNTo("edi@them.example");
      if (receipt.contains("signed"))
        partnership.setAS2MDNOptions("signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, " + order.getProperty("micalg", "sha-256"));
      if (receipt.contains("async")) partnership.setAS2ReceiptDeliveryOption("http://127.0.0.1:" + receiptPort + "/as2/receipts");
    }
    AS2Message message = new AS2Message();
    message.setPartnership(partnership);
    message.headers().setHeader("Subject", "a message");
    MimeBodyPart part = partOf(order.getProperty("file"), order.getProperty("name"));
    if (order.containsKey("further")) {
      MimeMultipart several = new MimeMultipart("related");
      several.addBodyPart(part);
      for (String name : order.getProperty("further").split(" ")) several.addBodyPart(partOf(name, name));
      part = new MimeBodyPart();
      part.setContent(several);
      part.setHeader("Content-Type", several.getContentType());
    }
    message.setData(part);
    message.headers().setHeader("Content-Type", part.getContentType());
    message.attrs().putIn("filename", order.getProperty("name"));
    if (order.containsKey("id")) message.setMessageID(order.getProperty("id"));
    else message.updateMessageID();
    String id = message.getMessageID();
    String problem = "";
    try {
      session.getMessageProcessor().handle(IProcessorSenderModule.DO_SEND, message, null);
    } catch (Exception e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      problem = String.valueOf(cause.getMessage()).replaceAll("[\r\n]+", " ").replaceAll(" 1\\.: .*", "");
    }
    String mic = "none";
    if (receipt.contains("async") && problem.isEmpty())
      mic = mics.computeIfAbsent(id, one -> new CompletableFuture<>()).get(20, TimeUnit.SECONDS);
    else if (mics.containsKey(id)) mic = mics.get(id).join();
    IMessageMDN given = message.getMDN();
    String disposition = given == null ? dispositions.getOrDefault(id, "") : String.valueOf(given.attrs().getAsString(AS2MessageMDN.MDNA_DISPOSITION));
    return String.join("\n", "id=" + id, "mic=" + mic, "disposition=" + disposition, "problem=" + problem, "");
  }

  static MimeBodyPart partOf(String file, String name) throws Exception {
    MimeBodyPart part = new MimeBodyPart();
    part.setDataHandler(new DataHandler(new FileDataSource(folder.resolve(file).toFile())));
    part.setHeader("Content-Type", "application/octet-stream");
    part.setHeader("Content-Transfer-Encoding", "binary");
    part.setFileName(name);
    return part;
  }

  static Partnership between(String from, String fromAlias, String to, String toAlias) {
    Partnership partnership = new Partnership(from + "-" + to);
    partnership.setSenderAS2ID(from);
    partnership.setSenderX509Alias(fromAlias);
    partnership.setSenderEmail("edi@" + from.toLowerCase() + ".example");
    partnership.setReceiverAS2ID(to);
    partnership.setReceiverX509Alias(toAlias);
    return partnership;
  }

  static StringMap at(String port) {
    StringMap attributes = new StringMap();
    attributes.putIn("address", "127.0.0.1");
    attributes.putIn("port", port);
    attributes.putIn("errordir", folder.resolve("errors").toString());
    return attributes;
  }

  /** What was agreed on, by the two names alone: what the library itself looks for of a receipt that comes by itself has an alias that is null, and finds nothing. */
  static class Agreed extends AbstractPartnershipFactory {
    @Override
    public Partnership getPartnership(Partnership asked) {
      for (Partnership one : getAllPartnerships())
        if (one.getSenderAS2ID().equals(asked.getSenderAS2ID()) && one.getReceiverAS2ID().equals(asked.getReceiverAS2ID())) return one;
      return between(asked.getSenderAS2ID(), "us", asked.getReceiverAS2ID(), "them");
    }
  }

  static class Matching implements IMICMatchingHandler {
    @Override
    public void onMICMatch(IMessage message, String mic) {
      tell(message, "match");
    }

    @Override
    public void onMICMismatch(IMessage message, String own, String theirs) {
      tell(message, "mismatch " + own + " " + theirs);
    }

    private void tell(IMessage message, String what) {
      if (message.getMDN() != null) dispositions.put(message.getMessageID(), String.valueOf(message.getMDN().attrs().getAsString(AS2MessageMDN.MDNA_DISPOSITION)));
      mics.computeIfAbsent(message.getMessageID(), id -> new CompletableFuture<>()).complete(what);
    }
  }

  /** Puts what comes into `taken/NAME`, and what it was into `taken/NAME.facts`; of several, `taken/NAME+NAME.facts`. */
  static class Storing extends AbstractProcessorModule implements IProcessorStorageModule {
    @Override
    public boolean canHandle(String action, IMessage message, Map<String, Object> options) {
      return action.equals(DO_STORE);
    }

    @Override
    public void handle(String action, IMessage message, Map<String, Object> options) {
      try {
        Path taken = Files.createDirectories(folder.resolve("taken"));
        List<MimeBodyPart> parts = new ArrayList<>();
        if (message.getData().isMimeType("multipart/*")) {
          MimeMultipart several = (MimeMultipart) message.getData().getContent();
          for (int index = 0; index < several.getCount(); index++) parts.add((MimeBodyPart) several.getBodyPart(index));
        } else parts.add(message.getData());
        String all = "";
        for (MimeBodyPart part : parts) {
          String name = part.getFileName();
          // Of what has no layers, the headers are those of the request.
          if (name == null) name = new ContentDisposition(message.getHeader("Content-Disposition")).getParameter("filename");
          try (InputStream in = part.getInputStream()) {
            Files.copy(in, taken.resolve(name), StandardCopyOption.REPLACE_EXISTING);
          }
          all += (all.isEmpty() ? "" : "+") + name;
        }
        Files.writeString(taken.resolve(all + ".facts"),
            String.join(" ", message.getMessageID(), "signed=" + message.attrs().containsKey(AS2Message.ATTRIBUTE_RECEIVED_SIGNED), "encrypted=" + message.attrs().containsKey(AS2Message.ATTRIBUTE_RECEIVED_ENCRYPTED),
                "compressed=" + message.attrs().containsKey(AS2Message.ATTRIBUTE_RECEIVED_COMPRESSED)) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  static X509Certificate certificate(String name) throws Exception {
    try (InputStream in = Files.newInputStream(folder.resolve(name))) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  static PrivateKey key(String name) throws Exception {
    byte[] der = Base64.getMimeDecoder().decode(Files.readString(folder.resolve(name)).replaceAll("-----[A-Z ]+-----", ""));
    return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
  }
}
