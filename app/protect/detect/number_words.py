"""What the words around a number say it is."""

from __future__ import annotations

from app.protect.detect.words import any_of

_PHONE = (
    "phone,phones,telephone,telephones,telefone,telefon,telefono,telefonnummer,telefoonnummer,telephon,tel,mobile,"
    "cell,"
    "cellphone,cellular,cell phone,fax,call,called,calling,dial,whatsapp,sms,text,texted,ring,rang,reach,hotline,ph,"
    "contact,handy,handynummer,rufnummer,anruf,anrufen,mobil,mobilnummer,mobilenummer,movil,celular,portable,"
    "cellulare,"
    "puhelin,komorka,llamar,llamame,ligar,appeler,appelez,telemovel,fijo,fixe,festnetz,office line,home line,work "
    "line,"
    "direct line,office number,home number,work number,direct number,desk number"
)
_CARD = (
    "card,cards,visa,mastercard,master card,amex,american express,maestro,debit,credit,diners,pan,"
    "kreditkarte,carte,tarjeta,cartao"
)
_NATIONAL = (
    "ssn,social security,social-security,sin,tax id,tax no,tax number,tax file,tax code,tax ref,tax reference,"
    "taxpayer id,"
    "taxpayer number,taxpayer's id,tax identification,taxpayer identification,itin,tin,national id,national insurance,"
    "national number,personal id,personal number,personal code,aadhaar,cpf,pesel,bsn,cpr,personnummer,nhs,identity "
    "card,"
    "identity number,steuer-id,steuer id,steuerid,steueridentifikationsnummer,steuer-identifikationsnummer,"
    "steuer-idnr,"
    "steuernummer,steuer-nummer,steuernr,steuer-nr,steuerliche identifikationsnummer,st.-nr,st.nr,stnr,st-nr,idnr,"
    "identifikationsnummer,sozialversicherungsnummer,sozialversicherung,svnr,rentenversicherungsnummer,numero fiscal,"
    "numero fiscal de reference,"
    "no fiscal,n° fiscal,identifiant fiscal,reference fiscale,numero de securite sociale,securite sociale,secu,numero "
    "spi,"
    "spi,nir,nif,nie,nien,codice fiscale,seguridad social,cnpj,contribuinte,rut,cuil,cuit,dni,curp,personalausweis,"
    "personalausweisnummer,carte d'identite,hetu,fodselsnummer,ahv,ahv-nummer,medicare,tfn,numero d'impot,impots"
)
_ACCOUNT = (
    "account no,account num,account number,account id,acct,account,routing,sort code,iban,kontonummer,"
    "konto,compte,cuenta,conta"
)
# What is no one's: a word far away does not count.
_THING = (
    "order,orders,invoice,invoices,ref,refs,reference,references,tracking,isbn,issn,sku,serial,serials,model,models,"
    "part,parts,"
    "version,versions,build,builds,ticket,tickets,case,cases,upc,ean,gtin,batch,hash,commit,commits,doi,imei,barcode,"
    "timestamp,timestamps,epoch,lot,article,item,items,trace,shipment,revision,id,ids,bestellung,bestellnummer,"
    "rechnung,"
    "rechnungsnummer,commande,facture,pedido,factura,fatura,siret,siren,hrb,patent,arxiv,pmid,nct"
)
_MEASURE = (
    "transaction,transactions,request,requests,session,sessions,record,records,total,totals,amount,amounts,price,"
    "prices,"
    "balance,balances,sum,sums,population,revenue,sales,budget,parameters,tokens,bytes,rows,count"
)
_KINDS = {
    word: kind
    for kind, words in (
        ("phone", _PHONE),
        ("card", _CARD),
        ("national", _NATIONAL),
        ("account", _ACCOUNT),
        ("thing", _THING),
        ("measure", _MEASURE),
    )
    for word in words.split(",")
}
_WORD = any_of(_KINDS)
_NO_ONES = ("thing", "measure")
_FAR_CHARACTERS = 24


def kind_by_words(before: str, after: str) -> str:
    """phone, card, national, account, thing, measure, or nothing.

    "Order 7…: my card number 4…": the nearest word before counts. What is no identifier counts only close by, "id"
    least.
    """
    near = ""
    for end, word in _words(before.lower()):
        kind = _KINDS[word]
        far = kind in _NO_ONES and len(before) - end > _FAR_CHARACTERS
        if not far and not (near and word == "id"):
            near = kind
    if near:
        return near
    first = next(iter(_words(after.lower())), None)
    kind = _KINDS[first[1]] if first else ""
    return "" if kind in _NO_ONES else kind


def _words(text: str) -> list[tuple[int, str]]:
    """The end of each word that stands alone, and the word."""
    hits = ((hit.start(), hit.end(), hit.group()) for hit in _WORD.finditer(text))
    return [
        (end, word)
        for start, end, word in hits
        if not _is_letter(text[start - 1 : start]) and not _is_letter(text[end : end + 1])
    ]


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_"
